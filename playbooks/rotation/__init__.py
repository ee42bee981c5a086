"""Rotates credentials without an outage: in which order, who has to move, and when the old go."""
