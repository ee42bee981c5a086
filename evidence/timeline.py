"""One case as it reads from its ledger entries. Standard library only."""

from collections.abc import Mapping
from typing import Any

from evidence.leaf import Leaf


def moment(
    index: int | None, leaf: Leaf, opened: tuple[str, Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Return one line of a timeline; `opened` is actor and body, None once erased."""
    actor, body = opened if opened is not None else (None, None)
    return {
        "index": index,
        "case_seq": leaf.case_seq,
        "kind": leaf.kind,
        "event_time": leaf.event_time,
        "record_time": leaf.record_time,
        "actor": actor,
        "body": body,
    }
