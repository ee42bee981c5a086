"""The tables of the incident store, beside the ledger's in the same database."""

from sqlalchemy import JSON, Column, Integer, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("play", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("severity", String(2), nullable=False),
    Column("target", JSON, nullable=False),
    Column("opened", String(32), nullable=False),
    Column("requester", Text, nullable=False),
    Column("hindrances", JSON, nullable=False),
    Column("status", String(32), nullable=False),
    Column("says", Text, nullable=False),
    Column("entry", Integer, nullable=False),
    Column("alert", JSON, nullable=False),
    # Who works on it now: host, pid and process start; empty when nobody does.
    Column("holder", Text, nullable=False, default=""),
)

alerts = Table(
    "alerts",
    metadata,
    Column("dedupe_key", String(256), primary_key=True),
    Column("incident", String(16), nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_seen", String(32), nullable=False),
)

steps = Table(
    "steps",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident", String(16), nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("action", String(64), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("mark", Text, nullable=False),
    Column("approval", String(16)),
    Column("result", JSON),
    Column("verdict", String(16)),
    Column("error", Text, nullable=False, default=""),
    Column("intended", String(32), nullable=False),
    Column("finished", String(32)),
    # Two processes, or two branches, never carry out the same step.
    UniqueConstraint("incident", "step"),
)

kept = Table(
    "kept",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident", String(16), nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("value", JSON, nullable=False),
    UniqueConstraint("incident", "step"),
)

questions = Table(
    "questions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("incident", String(16), nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("about", JSON, nullable=False),
    Column("requester", Text, nullable=False),
    Column("asked", String(32), nullable=False),
    Column("expires", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("approver", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("proof", Text, nullable=False, default=""),
)
