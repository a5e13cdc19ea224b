"""Unprocessing by formula."""
