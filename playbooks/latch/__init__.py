"""The latch: what is to be attached beforehand, whether it is, and whether a deny shows."""
