"""The ledger's own count of the case: whether these entries are all that it has."""

from tests.evidence.second.entries import Entry, read_entry
from tests.evidence.second.findings import need
from tests.evidence.second.head import Head, check_inclusion, check_path, leaf_hash
from tests.evidence.second.texts import HASH, dumps, lines, matches, members


def hashes(listed: list[str]) -> list[bytes]:
    matches(HASH, *listed)
    return [bytes.fromhex(one) for one in listed]


def check_heads(data: bytes, head: Head, entries: list[Entry]) -> bool:
    """Return whether the case can have no more entries below the checkpoint."""
    rows = lines(data)
    need(len(rows) == 1, "is not one line")
    line = members(rows[0], entry=dict, path=list, head=dict, place=int, head_path=list)
    counting = read_entry(line["entry"])
    need(counting.leaf["kind"] == "heads" and counting.body is not None, "holds no open count")
    check_inclusion(head, counting.index, counting.data, hashes(line["path"]))
    body = members(counting.body, entries=int, cases=int, root=str)
    matches(HASH, body["root"])
    counted = body["entries"]
    need(0 < body["cases"] <= counted <= counting.index, "counts what cannot be")
    last = members(line["head"], case=str, case_seq=int, leaf=str)
    matches(HASH, last["leaf"])
    need(0 <= line["place"] and last["case_seq"] >= 0, "has a negative number")
    root, path = bytes.fromhex(body["root"]), hashes(line["head_path"])
    check_path(body["cases"], root, line["place"], dumps(last), path)
    need(last["case"] == entries[0].leaf["case"], "is of another case")
    need(last["case_seq"] < len(entries), "entries at the end were left out")
    mine, later = entries[last["case_seq"]], entries[last["case_seq"] + 1 :]
    need(leaf_hash(mine.data).hex() == last["leaf"], "counts another entry as the last")
    need(mine.index < counted, "counts an entry that it cannot")
    need(not later or later[0].index >= counted, "counts too few")
    shown = {entry.index for entry in entries} | {counting.index}
    return bool(sum(counted <= index < head.size for index in shown) == head.size - counted)
