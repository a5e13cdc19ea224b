"""Shared by the PyTorch methods: devices, checkpoints, the training loop, prediction, measuring and export."""
