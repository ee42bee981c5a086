"""The ledger's tables: an append-only part, and a side table that may be erased.

`ledger_entries`, `ledger_nodes`, `ledger_checkpoints` and `ledger_cosignatures` only grow and hold
no personal data.
`ledger_openings` holds what the leaves commit to (actor, body, salt) and `ledger_cases` which
case a pseudonym stands for, `ledger_values` the openings of single values in those bodies; rows
there may be erased, and every proof still verifies.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from evidence import timestamp_schema

metadata = MetaData()

# SQLite gives a row id only to a column of type exactly INTEGER.
_ID = BigInteger().with_variant(Integer(), "sqlite")

entries = Table(
    "ledger_entries",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    # NULL until integrated; then dense from 0.
    Column("idx", BigInteger, unique=True, nullable=True),
    Column("pseudonym", String(32), nullable=False),
    Column("case_seq", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
    UniqueConstraint("pseudonym", "case_seq"),
    # Never give a deleted row's id out again.
    sqlite_autoincrement=True,
)

openings = Table(
    "ledger_openings",
    metadata,
    Column("entry_id", _ID, ForeignKey("ledger_entries.id"), primary_key=True),
    Column("salt", LargeBinary(32), nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# The openings of single values that are committed to apart: `place` is a JSON pointer or `actor`.
values = Table(
    "ledger_values",
    metadata,
    Column("entry_id", _ID, ForeignKey("ledger_entries.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("place", Text, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("value", LargeBinary, nullable=False),
)

cases = Table(
    "ledger_cases",
    metadata,
    Column("case_id", String(200), primary_key=True),
    Column("pseudonym", String(32), nullable=False, unique=True),
    Column("next_seq", BigInteger, nullable=False),
)

# Complete subtrees of level 1 and up; level 0 is ledger_entries.leaf_hash.
nodes = Table(
    "ledger_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("pos", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("signed_at", String(32), nullable=False),
)

# What the signer last signed, so that it never signs a smaller or forked tree.
signed = Table(
    "ledger_signed",
    metadata,
    Column("origin", String(200), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
)


# What witnesses said of a checkpoint: their signature lines for its note, by the witness's vkey.
cosignatures = Table(
    "ledger_cosignatures",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("witness", String(300), primary_key=True),
    Column("line", Text, nullable=False),
    # Seconds since 1970, by the witness's clock.
    Column("cosigned_at", BigInteger, nullable=False),
)


def create_schema(conn: Connection) -> None:
    """Create the ledger's tables where they are missing, on the caller's transaction."""
    metadata.create_all(conn)
    timestamp_schema.metadata.create_all(conn)
