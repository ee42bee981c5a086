"""The tables of the incident store, beside the ledger's in the same database."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

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
    # What it is about, as account/region/id: further findings on it join this incident.
    Column("place", Text, nullable=False, default="", index=True),
    # Who works on it now: host, pid, process start and entry; empty when nobody does.
    Column("holder", Text, nullable=False, default=""),
    # Rises with each lease; a commit under an older one does not count.
    Column("fence", Integer, nullable=False, default=0),
    Column("until", String(32), nullable=False, default=""),
    # Until then a process that lost its lease may still make one call.
    Column("quiet_from", String(32), nullable=False, default=""),
)

alerts = Table(
    "alerts",
    metadata,
    Column("dedupe_key", Text, primary_key=True),
    Column("incident", String(16), nullable=False),
    Column("count", Integer, nullable=False),
    Column("last_seen", String(32), nullable=False),
    # How it came (a queue's or a sender's name, or a person's command), and when.
    Column("channel", String(64), nullable=False, default=""),
    Column("received", String(32), nullable=False, default=""),
    # Deliveries that said nothing new.
    Column("repeats", Integer, nullable=False, default=0),
    Index("alerts_by_channel", "channel", "received"),
)

# Signed requests that were accepted; a second one like it is a replay.
seen = Table(
    "seen",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("at", String(32), nullable=False, index=True),
)

# What came from a known sender and could not be understood.
rejected = Table(
    "rejected",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channel", String(64), nullable=False),
    Column("at", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

# What makes an incident runnable, at once or at a time; written with what caused it.
work = Table(
    "work",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", String(16), nullable=False, index=True),
    Column("why", String(16), nullable=False),
    Column("due", String(32), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Column("done", Boolean, nullable=False),
    Index("work_by_due", "done", "due"),
)

freezes = Table(
    "freezes",
    metadata,
    Column("account", String(12), primary_key=True),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", String(32), nullable=False),
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
    # What ceilings count over: account, service, scaling group.
    Column("places", JSON, nullable=False, default=dict),
    Index("steps_by_step", "step"),
    Index("steps_by_time", "intended"),
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

# Access reviews: who may do what, found at one time.
reviews = Table(
    "reviews",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    # gathering until all rows stand here, then open, at last closed.
    Column("status", String(16), nullable=False),
    Column("scope", JSON, nullable=False),
    # What the rows were made from: the age of the credential report, counts, a digest.
    Column("facts", JSON, nullable=False),
    Column("owner", Text, nullable=False),
    Column("opened", String(32), nullable=False),
    Column("due", String(32), nullable=False),
    # How often it was escalated: 0 not, 1 to its owner, 2 to the stakeholders, and so on.
    Column("level", Integer, nullable=False),
    Column("proof", Text, nullable=False),
)

review_rows = Table(
    "review_rows",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("review", String(16), nullable=False),
    Column("id", String(16), nullable=False),
    Column("principal", Text, nullable=False),
    Column("privilege", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("used", String(32), nullable=False),
    Column("flags", JSON, nullable=False),
    # Of the principal's state when it was listed.
    Column("digest", String(64), nullable=False),
    Column("about", JSON, nullable=False),
    # Nothing until somebody decides.
    Column("decision", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("decided", String(32), nullable=False),
    Column("proof", Text, nullable=False),
    # That carries the decision out.
    Column("incident", String(16), nullable=False),
    UniqueConstraint("review", "id"),
    Index("review_rows_by_decision", "review", "decision"),
)

# What people recorded of an incident for its notification duties: nothing here is ever changed.
duty_log = Table(
    "duty_log",
    metadata,
    Column("number", Integer, primary_key=True),
    # An incident's id, or that of the deployment where a rule was confirmed.
    Column("incident", String(16), nullable=False, index=True),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("body", JSON, nullable=False),
    Column("proof", Text, nullable=False),
)

# The clocks that were opened, as they stood when they were last derived.
duties = Table(
    "duties",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident", String(16), nullable=False),
    # REGIME/STAGE
    Column("duty", Text, nullable=False),
    Column("opened", String(32), nullable=False),
    # The last instant of the date to act on, in UTC; nothing where there is no date.
    Column("due", String(32), nullable=False),
    Column("state", String(24), nullable=False),
    Column("closed", String(32), nullable=False),
    Column("closed_how", String(24), nullable=False),
    # How many of its reminders were told.
    Column("level", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    UniqueConstraint("incident", "duty"),
    Index("duties_by_due", "closed", "due"),
)
