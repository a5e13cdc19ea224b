"""The organisers' U-Net baseline."""
