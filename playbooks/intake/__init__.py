"""Machines come in: an alert in its source's form becomes one normal form, with a meaning."""
