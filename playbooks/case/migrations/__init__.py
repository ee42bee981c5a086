"""How a database of an earlier Stanch becomes one of this: Alembic's steps, forward only."""
