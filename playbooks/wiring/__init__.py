"""Builds what a case needs: settings, sessions, keys, database, clock."""
