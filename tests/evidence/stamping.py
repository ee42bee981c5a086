"""Timestamping authorities of the range, in this process, and what clients pin of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evidence import timestamp
from evidence.timestamp import Authority
from playbooks.drills.range import tsa, tsa_state

BEGIN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEXT = b"log.example/custody/v1\n8\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
NONCE = 0x7A11C0FFEE5EED01


@dataclass(frozen=True)
class Stamper:
    """An authority that runs, and how clients know it."""

    runs: tsa.Authority
    pinned: Authority
    folder: Path

    def stamp(self, text: bytes = TEXT, nonce: int = NONCE) -> tuple[bytes, bytes]:
        """Return a request over the text and the answer to it."""
        asked = timestamp.request(text, self.pinned.policy, nonce)
        return asked, self.runs.answer(asked)


def stamper(
    folder: Path,
    name: str = "tsa-a",
    now: Callable[[], datetime] = lambda: BEGIN + timedelta(hours=1),
    *,
    begin: datetime = BEGIN,
    end: datetime | None = None,
    policy: str = tsa.POLICY,
) -> Stamper:
    """Make an authority whose clock is `now`."""
    identity = tsa_state.create(folder, name, begin, end)
    runs = tsa.Authority(identity, tsa_state.Last(folder / "last.json"), now, policy)
    pem = [(folder / name).read_bytes() for name in ("tsa.pem", "root.pem")]
    return Stamper(runs, timestamp.authority(name, *pem, policy), folder)
