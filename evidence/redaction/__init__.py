"""Redacted copies of artifacts: the map of what is taken out, and the check that it was."""
