"""Keeps the world as it was, provably: hashed, signed, in an append-only ledger."""
