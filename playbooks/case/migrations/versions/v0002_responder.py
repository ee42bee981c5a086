"""What the responder needs: work, fenced leases, freezes, and how alerts came."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Widen incidents, alerts and steps; add what is new."""
    _add(
        "incidents",
        place=(sa.Text(), ""),
        fence=(sa.Integer(), "0"),
        until=(sa.String(32), ""),
        quiet_from=(sa.String(32), ""),
    )
    _name_places()
    op.create_index("ix_incidents_place", "incidents", ["place"])
    _add(
        "alerts",
        channel=(sa.String(64), ""),
        received=(sa.String(32), ""),
        repeats=(sa.Integer(), "0"),
    )
    with op.batch_alter_table("alerts") as batch:
        # PostgreSQL holds a string to its length; a finding's id may be longer.
        batch.alter_column("dedupe_key", existing_type=sa.String(256), type_=sa.Text())
    op.create_index("alerts_by_channel", "alerts", ["channel", "received"])
    _add("steps", places=(sa.JSON(), "{}"))
    op.create_index("steps_by_step", "steps", ["step"])
    op.create_index("steps_by_time", "steps", ["intended"])
    _new()


def _add(table: str, **columns: tuple[Any, str]) -> None:
    """Add columns that are never NULL, with the value that existing rows get."""
    with op.batch_alter_table(table) as batch:
        for name, (kind, value) in columns.items():
            batch.add_column(sa.Column(name, kind, nullable=False, server_default=value))
    with op.batch_alter_table(table) as batch:
        for name, (kind, _) in columns.items():
            batch.alter_column(name, existing_type=kind, server_default=None)


def _name_places() -> None:
    """Give each incident the place that it is about, so that further findings join it."""
    incidents = sa.table(
        "incidents", sa.column("number"), sa.column("target", sa.JSON), sa.column("place")
    )
    conn = op.get_bind()
    for number, target in conn.execute(sa.select(incidents.c.number, incidents.c.target)).all():
        place = "/".join(str(target.get(key, "")) for key in ("account", "region", "id"))
        mine = sa.update(incidents).where(incidents.c.number == number)
        conn.execute(mine.values(place=place))


def _new() -> None:
    op.create_table(
        "seen",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False, index=True),
    )
    op.create_table(
        "rejected",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "work",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("incident", sa.String(16), nullable=False, index=True),
        sa.Column("why", sa.String(16), nullable=False),
        sa.Column("due", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Index("work_by_due", "done", "due"),
    )
    op.create_table(
        "freezes",
        sa.Column("account", sa.String(12), primary_key=True),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
    )
