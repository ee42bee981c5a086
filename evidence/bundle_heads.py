"""How a bundle shows that the case has no more entries than it holds.

data/custody/heads.jsonl    one line: the newest entry of kind `heads` under the checkpoint, its
                            inclusion proof, and this case's head with its place and path in the
                            tree of heads that the entry states
"""

from sqlalchemy import Connection

from evidence.canonical import canonical
from evidence.errors import LedgerCorruptError
from evidence.heads import Head, count_of, path_to
from evidence.ledger_heads import Counted, heads_at, newest
from evidence.ledger_tree import inclusion


def heads_line(conn: Connection, case: str, size: int) -> bytes | None:
    """Return the line for the case of this pseudonym, under the checkpoint of `size` entries.

    None where no entry counts the case yet, or the newest was erased.

    Raises:
        LedgerCorruptError: when the ledger has other heads than the entry states.
    """
    found = newest(conn, size)
    count = None if found is None else found.count()
    if found is None or count is None:
        return None
    heads = heads_at(conn, count.entries)
    if count_of(heads, count.entries) != count:
        raise LedgerCorruptError(
            f"ledger entry {found.index} states other heads of cases than the ledger has; entries "
            "were altered. Compare backups"
        )
    for place, head in enumerate(heads):
        if head.case == case:
            return canonical(_members(conn, found, size, head, place, heads)) + b"\n"
    return None


def _members(
    conn: Connection, found: Counted, size: int, head: Head, place: int, heads: list[Head]
) -> dict[str, object]:
    opening = None
    if found.opening is not None:
        salt, actor, body = found.opening
        opening = {"actor": actor, "body": body.decode(), "salt": salt.hex()}
    return {
        "entry": {"index": found.index, "leaf": found.data.decode(), "opening": opening},
        "path": [step.hex() for step in inclusion(conn, found.index, size)],
        "head": head.members(),
        "place": place,
        "head_path": [step.hex() for step in path_to(heads, place)],
    }
