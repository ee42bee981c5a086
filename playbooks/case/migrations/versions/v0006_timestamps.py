"""What timestamp authorities gave for the ledger's checkpoints, and how asking them went."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "ledger_timestamps",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("authority", sa.String(32), primary_key=True),
        sa.Column("asked", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("gen_time", sa.String(32), nullable=False),
        sa.Column("entry_id", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_timestamp_tries",
        sa.Column("authority", sa.String(32), primary_key=True),
        sa.Column("tried_at", sa.String(32), nullable=False),
        sa.Column("failed", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
