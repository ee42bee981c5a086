"""Turns an alert into an incident, and runs its play."""
