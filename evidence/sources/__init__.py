"""Reads the world without touching it: every call is a Describe, Get, List or Lookup."""
