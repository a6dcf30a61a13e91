"""Training, side by side with the way the PyTorch tutorial writes it: `python -m benchmarks.training`."""
