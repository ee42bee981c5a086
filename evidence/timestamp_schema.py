"""The tables of timestamps: tokens, which only grow, and how asking each authority went last."""

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

tokens = Table(
    "ledger_timestamps",
    metadata,
    # Entries of the checkpoint that was stamped.
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("authority", String(32), primary_key=True),
    Column("asked", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("gen_time", String(32), nullable=False),
    # The row of ledger_entries that notes it.
    Column("entry_id", BigInteger, nullable=False),
)

tries = Table(
    "ledger_timestamp_tries",
    metadata,
    Column("authority", String(32), primary_key=True),
    Column("tried_at", String(32), nullable=False),
    # Why there is no token; empty where there is one.
    Column("failed", Text, nullable=False),
    # Since when it has been so.
    Column("since", String(32), nullable=False),
)
