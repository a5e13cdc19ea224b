"""`manage.py doctor`: looks at everything that Bayerboard stands on, and says what to do about it."""
