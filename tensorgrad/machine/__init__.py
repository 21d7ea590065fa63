"""What the arithmetic runs on: memory that is used again, threads, BLAS, blocks of rows."""
