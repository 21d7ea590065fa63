"""What all tests share."""

import gc


def pytest_collection_finish():
    """Python's garbage collector no longer looks through what was collected.

    Thousands of tests with their parameters are there to the end, and a tenth of the suite's time
    went into passes over them.
    """
    gc.collect()
    gc.freeze()
