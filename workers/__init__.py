"""The Celery tasks: thin; each claims or locks, rechecks, and calls a model or scoring."""
