"""Benchmarks: speed, memory, and whether the statistics hold. Each writes its own table into docs/."""
