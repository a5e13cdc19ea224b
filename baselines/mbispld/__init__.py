"""A model-based ISP with learnable dictionaries."""
