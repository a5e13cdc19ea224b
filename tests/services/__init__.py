"""Servers that Bayerboard uses by URL, started for tests: each private, on loopback, in a folder of its own."""
