"""Kills what Bayerboard is made of while participants submit, and sees that nothing is lost, stuck or counted twice."""
