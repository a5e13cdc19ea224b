"""The commands of `python -m baselines`, a module each with ``main(arguments)``."""
