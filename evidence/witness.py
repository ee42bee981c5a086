"""A witness: it remembers the largest head of each log that it knows, and cosigns what extends it.

Answers `POST /add-checkpoint` as C2SP tlog-witness has it. Sees a log's name, size and root, and
when; nothing of what the log holds.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from evidence.cosignature import CosigningKey, cosign
from evidence.errors import NoteError, ProofError
from evidence.merkle import verify_consistency
from evidence.note import (
    MAX_NOTE,
    Checkpoint,
    NoteVerifier,
    checkpoint_hash,
    open_note,
    parse_checkpoint,
    plain_number,
    take_apart,
)
from evidence.witness_state import WitnessState

MAX_PROOF = 63
# A proof line is 44 characters of base64 and a newline; `old`, a size, and the empty line.
MAX_BODY = MAX_NOTE + MAX_PROOF * 45 + 32

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status, and a body of the content type `kind`."""

    status: int
    body: str
    kind: str = TEXT


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the size that its sender takes to be ours, proof hashes, and the signed head."""

    old: int
    proof: tuple[bytes, ...]
    note: str
    text: str
    head: Checkpoint


@dataclass(frozen=True, slots=True)
class Witness:
    """Who cosigns, the keys of each log by its origin, what was seen, and seconds since 1970."""

    key: CosigningKey
    logs: Mapping[str, Sequence[NoteVerifier]]
    state: WitnessState
    clock: Callable[[], int] = field(repr=False)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Return the answer to a request's body; with 200, what was cosigned is on disk."""
        try:
            asked = read_request(body)
        except NoteError as error:
            return Answer(400, f"{error}\n")
        known = self.logs.get(asked.head.origin)
        if known is None:
            return Answer(404, "this log is not known here; its operator must be asked to add it\n")
        try:
            open_note(asked.note, known)
        except NoteError as error:
            return Answer(403, f"{error}\n")
        if asked.old > asked.head.size:
            return Answer(
                400, f"old size {asked.old} is above the checkpoint's {asked.head.size}\n"
            )
        # Nobody else looks or writes until this is decided and on disk.
        with self.state.turn() as turn:
            last = turn.last(asked.head.origin)
            refused = _refusal(asked, last)
            if refused is not None:
                if _contradicts(asked, last, refused):
                    turn.refused(asked.head, asked.note, refused.status, self.clock())
                return refused
            # The time belongs to the turn: at that moment there is no larger head.
            at = self.clock()
            line = cosign(asked.text, self.key, at)
            turn.cosigned(asked.head, asked.note, at)
        return Answer(200, line)


def read_request(body: bytes) -> Asked:
    """Read the body of a request.

    Raises:
        NoteError: when it is not as C2SP tlog-witness, "add-checkpoint", has it.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the request is not UTF-8") from error
    lines, blank, note = text.partition("\n\n")
    old, *proof = lines.split("\n")
    if not blank or not old.startswith("old "):
        raise NoteError("the request has not the lines `old SIZE`, proof, an empty one, a note")
    if len(proof) > MAX_PROOF:
        raise NoteError(f"{len(proof)} proof lines; at most {MAX_PROOF} are read")
    signed, _ = take_apart(note)
    return Asked(
        plain_number(old.removeprefix("old "), "old size"),
        tuple(checkpoint_hash(line, "proof line") for line in proof),
        note,
        signed,
        parse_checkpoint(signed),
    )


def request_body(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """Return the body of a request, as `read_request` reads it."""
    lines = [f"old {old}", *(b64encode(step).decode() for step in proof)]
    return ("\n".join(lines) + f"\n\n{note}").encode()


def _refusal(asked: Asked, last: Checkpoint) -> Answer | None:
    if asked.old != last.size:
        return Answer(409, f"{last.size}\n", SIZE)
    if asked.head.size == last.size and asked.head.root != last.root:
        return Answer(409, f"{last.size}\n", SIZE)
    try:
        verify_consistency(last.size, asked.head.size, last.root, asked.head.root, asked.proof)
    except ProofError as error:
        return Answer(422, f"{error}\n")
    return None


def _contradicts(asked: Asked, last: Checkpoint, refused: Answer) -> bool:
    """Return whether a note that the log signed is worth keeping beside the one that we hold.

    A smaller head alone is not: who asks late, or after another, sends one in good faith.
    """
    same = asked.head.size == last.size and asked.head.root != last.root
    return same or refused.status == 422
