"""What the PyTorch methods share: devices, checkpoints, the training loop, prediction, measuring and export."""
