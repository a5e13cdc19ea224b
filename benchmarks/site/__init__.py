"""Measurements of the site: pages as the data grows, a submission's way to its rank, a deadline, workers.

Nothing in the measuring process knows Django: the site runs in processes of its own, as an operator runs it.
"""
