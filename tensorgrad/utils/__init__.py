"""What PyTorch programs import from torch.utils."""
