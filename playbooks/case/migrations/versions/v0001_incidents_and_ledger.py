"""Incidents with their alerts, steps, kept values and questions, beside the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables as Stanch 0.1 did."""
    _ledger()
    _incidents()
    _steps()


def _ledger() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("id", _ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("idx", sa.BigInteger, unique=True, nullable=True),
        sa.Column("pseudonym", sa.String(32), nullable=False),
        sa.Column("case_seq", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
        sa.UniqueConstraint("pseudonym", "case_seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_openings",
        sa.Column("entry_id", _ROW_ID, sa.ForeignKey("ledger_entries.id"), primary_key=True),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ledger_cases",
        sa.Column("case_id", sa.String(200), primary_key=True),
        sa.Column("pseudonym", sa.String(32), nullable=False, unique=True),
        sa.Column("next_seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "ledger_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("pos", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_checkpoints",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("signed_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "ledger_signed",
        sa.Column("origin", sa.String(200), primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("play", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("severity", sa.String(2), nullable=False),
        sa.Column("target", sa.JSON, nullable=False),
        sa.Column("opened", sa.String(32), nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("hindrances", sa.JSON, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("says", sa.Text, nullable=False),
        sa.Column("entry", sa.Integer, nullable=False),
        sa.Column("alert", sa.JSON, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
    )
    op.create_table(
        "alerts",
        sa.Column("dedupe_key", sa.String(256), primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_seen", sa.String(32), nullable=False),
    )


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False, index=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("approval", sa.String(16)),
        sa.Column("result", sa.JSON),
        sa.Column("verdict", sa.String(16)),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("intended", sa.String(32), nullable=False),
        sa.Column("finished", sa.String(32)),
        sa.UniqueConstraint("incident", "step"),
    )
    op.create_table(
        "kept",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False, index=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.UniqueConstraint("incident", "step"),
    )
    op.create_table(
        "questions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(16), nullable=False, unique=True),
        sa.Column("incident", sa.String(16), nullable=False, index=True),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("about", sa.JSON, nullable=False),
        sa.Column("requester", sa.Text, nullable=False),
        sa.Column("asked", sa.String(32), nullable=False),
        sa.Column("expires", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("approver", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proof", sa.Text, nullable=False),
    )
