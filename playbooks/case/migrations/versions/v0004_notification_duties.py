"""What notification duties need: the log of what people recorded, and the clocks it opened."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "duty_log",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False, index=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
    )
    op.create_table(
        "duties",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False),
        sa.Column("duty", sa.Text, nullable=False),
        sa.Column("opened", sa.String(32), nullable=False),
        sa.Column("due", sa.String(32), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("closed", sa.String(32), nullable=False),
        sa.Column("closed_how", sa.String(24), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.UniqueConstraint("incident", "duty"),
        sa.Index("duties_by_due", "closed", "due"),
    )
