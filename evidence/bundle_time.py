"""What a bundle holds to tell when its entries were recorded, by clocks that are not its own.

data/time/<size>.txt              the text of a checkpoint of so many entries, as it was stamped
    <size>-<authority>.tsq .tsr   the request for it, and the answer with the token
    <authority>.pem               the authority's certificate and chain
    <authority>.crl               lists of what was revoked of these, where they are known
    consistency.jsonl             size, path: that checkpoint's tree is the beginning of the head's
    noted.jsonl                   size, authority, entry, path: the ledger's entry of that token

For each authority there are the tokens next after every entry, those noted next before it, and
those next after the entries that note others' tokens.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from evidence import bag, timestamp_store
from evidence import ledger_schema as table
from evidence.canonical import canonical
from evidence.ledger_tree import SignedCheckpoint, consistency, inclusion
from evidence.note import Checkpoint, checkpoint_text
from evidence.timestamp import Authority
from evidence.timestamp_store import Kept


def time_files(
    conn: Connection,
    indices: Sequence[int],
    head: SignedCheckpoint,
    authorities: Iterable[Authority],
) -> dict[str, bytes]:
    """Return path -> bytes for the entries at `indices`; nothing where nobody stamped them."""
    size = head.checkpoint.size
    named = {authority.name: authority for authority in authorities}
    found = [kept for kept in timestamp_store.tokens(conn, size) if kept.authority in named]
    chosen = _chosen(found, indices, size)
    if not chosen:
        return {}
    files: dict[str, bytes] = {}
    proofs, noted = [], []
    for one in sorted({kept.size for kept in chosen}):
        files[f"{bag.TIME}{one}.txt"] = _text(conn, head.checkpoint.origin, one)
        path = [step.hex() for step in consistency(conn, one, size)]
        proofs.append(canonical({"size": one, "path": path}))
    for kept in chosen:
        stem = f"{bag.TIME}{kept.size}-{kept.authority}"
        files[f"{stem}.tsq"], files[f"{stem}.tsr"] = kept.asked, kept.answer
        if kept.index is not None and kept.index < size:
            noted.append(canonical(_noted(conn, kept, kept.index, size)))
    files[bag.TIME_PROOFS] = b"\n".join(proofs) + b"\n"
    if noted:
        files[bag.TIME_NOTED] = b"\n".join(noted) + b"\n"
    for name in {kept.authority for kept in chosen}:
        files[f"{bag.TIME}{name}.pem"] = named[name].pem
        if crl := named[name].crl:
            files[f"{bag.TIME}{name}.crl"] = crl
    return files


def _chosen(found: Sequence[Kept], indices: Sequence[int], size: int) -> list[Kept]:
    by_authority: dict[str, list[Kept]] = defaultdict(list)
    for kept in found:
        by_authority[kept.authority].append(kept)
    chosen: dict[tuple[int, str], Kept] = {}
    for kept_ones in by_authority.values():
        sizes = [kept.size for kept in kept_ones]
        in_ledger = sorted(
            (k.index, k) for k in kept_ones if k.index is not None and k.index < size
        )
        noted = [index for index, _ in in_ledger]
        for index in indices:
            after = bisect.bisect_right(sizes, index)
            before = bisect.bisect_left(noted, index)
            earlier = [kept for _, kept in in_ledger[max(before - 1, 0) : before]]
            for kept in (*kept_ones[after : after + 1], *earlier):
                chosen[kept.size, kept.authority] = kept
    for kept in _renewing(by_authority, list(chosen.values())):
        chosen[kept.size, kept.authority] = kept
    return [chosen[key] for key in sorted(chosen)]


def _renewing(by_authority: Mapping[str, list[Kept]], chosen: Iterable[Kept]) -> list[Kept]:
    """Return the tokens of others next after the entries that note those which are chosen.

    Should an authority be revoked, they show that its tokens were there before.
    """
    found = []
    for one in chosen:
        for authority, kept_ones in by_authority.items():
            if authority != one.authority and one.index is not None:
                after = bisect.bisect_right([kept.size for kept in kept_ones], one.index)
                found += kept_ones[after : after + 1]
    return found


def _text(conn: Connection, origin: str, size: int) -> bytes:
    stored = select(table.checkpoints.c.root).where(table.checkpoints.c.size == size)
    root: bytes = conn.execute(stored).scalar_one()
    return checkpoint_text(Checkpoint(origin, size, root)).encode()


def _noted(conn: Connection, kept: Kept, index: int, size: int) -> dict[str, object]:
    row = conn.execute(
        select(
            table.entries.c.leaf,
            table.openings.c.salt,
            table.openings.c.actor,
            table.openings.c.body,
        )
        .join_from(table.entries, table.openings, isouter=True)
        .where(table.entries.c.id == kept.entry)
    ).one()
    opening = None
    if row.salt is not None:
        opening = {"actor": row.actor, "body": row.body.decode(), "salt": row.salt.hex()}
    return {
        "size": kept.size,
        "authority": kept.authority,
        "entry": {"index": index, "leaf": row.leaf.decode(), "opening": opening},
        "path": [step.hex() for step in inclusion(conn, index, size)],
    }
