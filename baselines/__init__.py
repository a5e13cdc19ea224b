"""Methods that ship with Bayerboard, the data they learn from, and the command that runs them. No Django."""
