"""Changes the world, with a way back: one action a file, each a lens or a one-way act."""
