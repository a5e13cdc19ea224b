"""Fuzzing of everything that reads what strangers sent. ``make fuzz`` runs it long; see docs/fuzzing.md."""
