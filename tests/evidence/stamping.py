"""Timestamping authorities of the range, in this process, and what clients pin of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from evidence import bundle, ledger, timestamp
from evidence.note import checkpoint_text
from evidence.timestamp import Authority
from evidence.timestamp_check import check
from evidence.timestamp_client import Stamped
from evidence.timestamp_store import keep
from playbooks.drills.range import tsa, tsa_state
from tests.evidence.chamber import CASE, Chamber, describe, make_chamber

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


@dataclass
class Stamping:
    """A deployment whose ledger is stamped by authorities with clocks of their own."""

    chamber: Chamber
    stampers: list[Stamper]

    @property
    def trust(self) -> dict[str, Any]:
        listed = [one.pinned.trust() for one in self.stampers]
        more = {"timestamp_authorities": listed, "timestamp_quorum": min(2, len(listed))}
        return self.chamber.trust | more

    def stamp(self, *but: str) -> int:
        """Have everybody but those stamp the newest checkpoint; return its size."""
        chamber = self.chamber
        chamber.integrate()
        with chamber.begin() as conn:
            head = ledger.latest_checkpoint(conn).checkpoint
            text = checkpoint_text(head).encode()
            for one in self.stampers:
                if one.pinned.name in but:
                    continue
                asked, answer = one.stamp(text, chamber.chance.getrandbits(62) + 1)
                token = check(one.pinned, text, asked, answer)
                stamped = Stamped(one.pinned.name, asked, answer, token)
                now, salt = chamber.tick(), chamber.chance.randbytes(32)
                assert keep(conn, head.size, stamped, "deployment", "stanch", now=now, salt=salt)
        chamber.integrate()
        return head.size

    def export(self, name: str = "bundle") -> Path:
        chamber = self.chamber
        with chamber.begin() as conn:
            pinned = [one.pinned for one in self.stampers]
            return bundle.export(
                conn, chamber.locker, CASE, chamber.signer, chamber.folder / name, pinned
            ).path


def stamping(folder: Path, *skews: timedelta) -> Stamping:
    """Make a deployment with an authority for each skew of its clock from the chamber's."""
    chamber = make_chamber(folder)
    made = []
    for letter, skew in zip("abc", skews, strict=False):
        clock = partial(lambda skew: chamber.now + skew, skew)
        made.append(
            stamper(folder / letter, f"tsa-{letter}", clock, begin=BEGIN - timedelta(days=9))
        )
    return Stamping(chamber, made)


def three_hours(site: Stamping) -> list[int]:
    """Record for three hours, stamped each hour; return the sizes that were stamped."""
    sizes = []
    for hour in range(3):
        site.chamber.say("change", {"hour": hour})
        site.chamber.keep(describe(hour))
        site.chamber.say("decision", {"hour": hour}, "INC-2")
        sizes.append(site.stamp())
        site.chamber.now += timedelta(hours=1)
    return sizes
