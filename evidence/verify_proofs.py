"""Checks that each entry has a proof in a file of its own, which holds by itself."""

import re

from evidence import bag
from evidence.errors import BundleError, EvidenceError, NoteError
from evidence.merkle import verify_inclusion
from evidence.note import parse_checkpoint, take_apart
from evidence.tlog_proof import MAX_PROOF, read_proof
from evidence.verify_entries import MAX_NOTE, Proven
from evidence.verify_files import Files
from evidence.verify_head import open_head
from evidence.verify_report import Report
from evidence.verify_trust import Trust

_NAME = re.compile(r"(0|[1-9][0-9]{0,17})\.tlog-proof")


def check_proof_files(
    files: Files, trust: Trust | None, proven: list[Proven], report: Report
) -> None:
    """Check the proof of every entry, and that no other file lies among the proofs.

    A proof's checkpoint is the bundle's, with the log's signature; cosignatures that were put into
    the bundle's later may be missing in it.
    """
    start = len(report.problems)
    try:
        note = files.read(bag.CHECKPOINT, MAX_NOTE).decode()
        heads = _Heads(note, trust)
    except (UnicodeDecodeError, EvidenceError):
        # What is wrong with the bundle's own checkpoint was said before.
        return
    leaves = {entry.index: entry.hash for entry in proven}
    found: set[int] = set()
    for path in sorted(path for path in files.sizes if path.startswith(bag.PROOF_FILES)):
        name = _NAME.fullmatch(path.removeprefix(bag.PROOF_FILES))
        index = int(name[1]) if name else -1
        found.add(index)
        try:
            if index not in leaves:
                raise BundleError("is the proof of no entry in the bundle")
            proof = read_proof(files.read(path, MAX_PROOF))
            if proof.index != index:
                raise BundleError(f"is the proof of entry {proof.index}")
            heads.check(proof.note)
            verify_inclusion(leaves[index], index, heads.size, proof.path, heads.root)
        except EvidenceError as error:
            report.invalid(path, error)
    for index in sorted(leaves.keys() - found):
        report.incomplete(f"{bag.PROOF_FILES}{index}.tlog-proof", "is missing")
    report.checked("proofs in files of their own", len(found), start)


class _Heads:
    """The notes that were found to be the bundle's checkpoint: most proofs hold the same one."""

    def __init__(self, note: str, trust: Trust | None) -> None:
        self._text, self._signed = take_apart(note)
        head = parse_checkpoint(self._text)
        self.size, self.root = head.size, head.root
        self._trust = trust
        self._good: set[str] = set()

    def check(self, note: str) -> None:
        """Raise EvidenceError unless `note` is the checkpoint with some of its signatures."""
        if note in self._good:
            return
        text, signed = take_apart(note)
        if text != self._text:
            raise BundleError("holds another checkpoint than the bundle")
        if strange := [name for name, line in signed if (name, line) not in self._signed]:
            raise NoteError(f"holds a signature of {strange[0]!r} that is not the checkpoint's")
        if self._trust is not None:
            open_head(note, self._trust)
        self._good.add(note)
