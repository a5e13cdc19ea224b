"""The organisers' dummy submission."""
