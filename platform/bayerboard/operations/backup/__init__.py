"""Backups: the database and every object that it names, in a folder, with a manifest that says what must be there."""
