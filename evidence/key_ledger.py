"""Reads from the ledger how keys followed each other, and which are not believed any more.

On a connection that the caller owns; nothing here commits. Rotations of a role make one chain, each
signed by the key before it, that ends in the key in use: whoever has an old key, and writes to the
database, can begin no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from evidence import ledger_schema as table
from evidence.errors import KeyStatementError, NoteError
from evidence.jws_token import PublicKey
from evidence.key_history import LOG, MANIFEST, WRAP, Bounded, Bounds
from evidence.key_statement import REVOKE, ROTATE, read_revocation, read_rotation, signed_by
from evidence.leaf import body_commitment
from evidence.ledger import Recorded, entries
from evidence.ledger_tree import inclusion
from evidence.merkle import leaf_hash, verify_inclusion
from evidence.note import Checkpoint, NoteVerifier, open_checkpoint, parse_vkey


def key_history(
    conn: Connection,
    case: str,
    head: Checkpoint,
    now: Mapping[str, Any],
    people: Mapping[str, PublicKey],
) -> list[Bounded]:
    """Return each key that another followed, and the one in use, with its bounds; by role.

    `case` is the one that these entries stand in, `head` a head that they are under, `now` the keys
    in use (role -> vkey or JWK), `people` the known public keys by name. Nothing for a role whose
    key was never changed.

    Raises:
        KeyStatementError: when an entry is not signed, does not follow, or a rotation was not
            ended.
    """
    recorded = list(_about_keys(conn, case, head))
    found: dict[str, list[Bounded]] = {LOG: [], MANIFEST: []}
    for entry, index in recorded:
        if entry.leaf.kind == ROTATE:
            _follow(conn, found, read_rotation(entry.body), index)
    for role, chain in found.items():
        if chain and chain[-1].key != now[role]:
            raise KeyStatementError(
                f"the ledger's last rotation of the {role} key is to another key than the one in "
                f"use. Was it broken off? `stanch key rotate {role}` ends it"
            )
    for entry, index in recorded:
        if entry.leaf.kind == REVOKE:
            _revoke(found, entry.body, index, people)
    return [one for chain in found.values() for one in chain]


def overlap(conn: Connection, old: NoteVerifier, new: NoteVerifier, index: int) -> int | None:
    """Return the size of the first head above the entry at `index` that both keys signed."""
    checkpoints = table.checkpoints.c
    rows = conn.execute(
        select(checkpoints.size, checkpoints.note)
        .where(checkpoints.size > index)
        .order_by(checkpoints.size)
    )
    for size, note in rows:
        try:
            open_checkpoint(note, old)
            open_checkpoint(note, new)
        except NoteError:
            continue
        return int(size)
    return None


def countersign(conn: Connection, size: int, line: str) -> None:
    """Add a signature line to the note of a head that is kept, on the caller's transaction."""
    kept = table.checkpoints.c
    note = conn.scalar(select(kept.note).where(kept.size == size))
    if note is not None and line not in note:
        mine = kept.size == size
        conn.execute(update(table.checkpoints).where(mine).values(note=note + line))


def _about_keys(conn: Connection, case: str, head: Checkpoint) -> Iterator[tuple[Recorded, int]]:
    """Yield the entries about keys with their indices, each proven to stand under the head."""
    size, root = head.size, head.root
    for entry in entries(conn, case):
        if entry.leaf.kind not in (ROTATE, REVOKE):
            continue
        if entry.index is None or entry.index >= size:
            raise KeyStatementError(
                f"an entry {entry.leaf.kind} has no place in the ledger yet; try again in a second"
            )
        verify_inclusion(
            leaf_hash(entry.data), entry.index, size, inclusion(conn, entry.index, size), root
        )
        opening = entry.opening
        if opening is None or body_commitment(opening.salt, opening.body) != entry.leaf.body:
            raise KeyStatementError(
                f"ledger entry {entry.index} ({entry.leaf.kind}) was erased or altered; restore "
                "ledger_openings from a backup"
            )
        yield entry, entry.index


def _follow(
    conn: Connection, found: dict[str, list[Bounded]], said: Mapping[str, Any], index: int
) -> None:
    role, old, new = said["role"], said["old"], said["new"]
    if role == WRAP:
        return
    chain = found[role]
    if chain and chain[-1].key != old:
        raise KeyStatementError(
            f"ledger entry {index} says that a {role} key was followed that was not in use: "
            "somebody with an old key wrote it. Compare backups"
        )
    since = chain.pop().bounds.since if chain else 0
    if role == LOG:
        size = overlap(conn, parse_vkey(old), parse_vkey(new), index)
        if size is None:
            raise KeyStatementError(
                "no head is signed by both the old log key and the new: the rotation was broken "
                "off. `stanch key rotate log` ends it"
            )
    else:
        size = index + 1
    chain += [Bounded(role, old, Bounds(since, size)), Bounded(role, new, Bounds(size))]


def _revoke(
    found: dict[str, list[Bounded]],
    body: Mapping[str, Any],
    index: int,
    people: Mapping[str, PublicKey],
) -> None:
    said = read_revocation(body).statement
    refuse_strangers(body, people)
    chain = found[said["role"]]
    for number, one in enumerate(chain):
        if one.key == said["key"]:
            chain[number] = revoked(one, said)
            return
    raise KeyStatementError(f"ledger entry {index} revokes a {said['role']} key that was never one")


def revoked(one: Bounded, said: Mapping[str, Any]) -> Bounded:
    """Return a key with the bounds that a revocation leaves it: never more than it had."""
    size, by = said["last_good"], datetime.fromisoformat(said["proven_at"])
    bounds = one.bounds
    if bounds.until is not None:
        size = min(size, bounds.until)
    if bounds.anchored_by is not None:
        by = min(by, bounds.anchored_by)
    return replace(one, bounds=Bounds(min(bounds.since, size), size, by))


def refuse_strangers(body: Mapping[str, Any], people: Mapping[str, PublicKey]) -> None:
    """Raise KeyStatementError unless each signature is by the key known as its signer's."""
    for name, key in signed_by(body):
        known = people.get(name)
        if known is None or known.public_numbers() != key.public_numbers():
            raise KeyStatementError(
                f"{name} signed with a key that is not known as {name}'s here. Put the key that "
                f"{name} signed with back under [people] in stanch.toml, if it was {name}'s"
            )
