"""Decides: one playbook a file, named for what happened."""
