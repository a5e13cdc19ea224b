"""Synthetic data: scenes, a camera model, data sets in the AIM 2022 layout, and degraded copies."""
