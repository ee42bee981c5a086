"""What a check found: problems that name a place, checks that were made, and one verdict."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from evidence.bag import HEADS

MAX_PROBLEMS = 200
# Where everything is wrong, nobody reads it all: looking stops, so that it takes no memory.
MAX_FOUND = 10_000


class TooMuchError(Exception):
    """So much is wrong with a bundle that looking was stopped; the report says what was found."""


class Exit(IntEnum):
    """Exit codes of the verifier, by verdict."""

    VALID = 0
    INVALID = 1
    INCOMPLETE = 2
    UNWITNESSED = 3
    TRUST_MISSING = 4


STATUS = {
    Exit.VALID: "valid",
    Exit.INVALID: "invalid",
    Exit.INCOMPLETE: "incomplete",
    Exit.UNWITNESSED: "valid but unwitnessed, untimestamped, open-ended or unpinned",
    Exit.TRUST_MISSING: "trust input missing",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Where something is wrong (a file, sometimes an entry) and what."""

    file: str
    what: str
    code: Exit


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, over how many subjects, and whether all held."""

    name: str
    ok: bool
    count: int


@dataclass(frozen=True, slots=True)
class Times:
    """When the entry at `index` was recorded, as others' clocks have it; RFC 3339, or unknown."""

    index: int
    not_before: str | None
    not_after: str | None


@dataclass(frozen=True, slots=True)
class Export:
    """What the entry at `index` records: a bundle of the case's first `entries`, and which."""

    index: int
    recorded: str
    entries: int
    tagmanifest_sha256: str


@dataclass(frozen=True, slots=True)
class Counted:
    """What the ledger's entry at `index` counts: the case's first `entries`, among `of` of all."""

    index: int
    recorded: str
    entries: int
    of: int


@dataclass(frozen=True, slots=True)
class Custody:
    """What people signed about custody: how many statements, who, and where it led.

    The keys of `unpinned` signers are known only from the ledger. `holds` are those in force,
    `disposed` the artifacts that were disposed of.
    """

    statements: int = 0
    signers: tuple[str, ...] = ()
    unpinned: tuple[str, ...] = ()
    holds: int = 0
    disposed: int = 0

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"custody: {self.statements} statements signed by {', '.join(self.signers) or 'nobody'}"
            f"; {self.holds} holds in force, {self.disposed} artifacts disposed of"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome for one bundle; `exit_code` is that of the worst problem.

    `lacking` says, one text each, why the head counts as unwitnessed or as untimestamped, the
    bundle as open-ended, and signers as unpinned. `times` holds what timestamps say of each entry,
    `exports` which earlier exports the entries record, `recorded_at` at which index a later bundle
    records this one, and `counted` how many entries of the case the ledger itself counts;
    `complete` is whether no more can be under the checkpoint.
    """

    exit_code: int
    status: str
    problems: tuple[Problem, ...]
    checks: tuple[Check, ...]
    witnessed: bool = False
    timestamped: bool = False
    lacking: tuple[str, ...] = ()
    times: tuple[Times, ...] = ()
    exports: tuple[Export, ...] = ()
    # What the export leaves out on purpose, and what is given instead.
    withheld: tuple[str, ...] = ()
    recorded_at: int | None = None
    complete: bool = False
    counted: Counted | None = None
    custody: Custody = Custody()
    # Of each timestamp authority, what is known of the revocation of its certificates.
    revocation: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """Collects problems and checks while a bundle is read.

    Two facts of the ledger's head come from outside its operator: `witnessed` (a quorum of
    witnesses cosigned it) and `timestamped` (trusted timestamps cover it); and one of the bundle,
    `complete`, from the ledger. Whoever checks one sets it to True, or leaves it and says in
    `why_...` what is missing. Lacking one is no problem of the bundle, but it keeps the verdict
    from being plainly valid; and so does a statement about custody that is signed with a key that
    only the operator vouches for.
    """

    problems: list[Problem] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    witnessed: bool = False
    why_unwitnessed: str = "unwitnessed: the trust input names no quorum of witnesses"
    timestamped: bool = False
    why_untimestamped: str = "untimestamped: the trust input names no timestamp authority"
    complete: bool = False
    why_open_ended: str = (
        f"open-ended: nothing ({HEADS}) shows that the case has no more entries than these. Export "
        "it anew"
    )
    counted: Counted | None = None
    times: list[Times] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    recorded_at: int | None = None
    custody: Custody = Custody()
    revocation: list[str] = field(default_factory=list)

    def invalid(self, file: str, what: object) -> None:
        """Note that something is not what it claims to be."""
        self._add(file, what, Exit.INVALID)

    def incomplete(self, file: str, what: object) -> None:
        """Note that something is not there."""
        self._add(file, what, Exit.INCOMPLETE)

    def untrusted(self, file: str, what: object) -> None:
        """Note that something cannot be judged without trust input."""
        self._add(file, what, Exit.TRUST_MISSING)

    def checked(self, name: str, count: int, since: int) -> None:
        """Note that a check was made; it holds when no problem came since `len(problems)`."""
        self.checks.append(Check(name, len(self.problems) == since, count))

    def verdict(self) -> Verdict:
        """Return the outcome: the worst problem decides; without one, what is lacking does."""
        outside = {
            "unwitnessed": (self.witnessed, self.why_unwitnessed),
            "untimestamped": (self.timestamped, self.why_untimestamped),
            "open-ended": (self.complete, self.why_open_ended),
            "unpinned": (not self.custody.unpinned, self._why_unpinned()),
        }
        missing = {word: why for word, (held, why) in outside.items() if not held}
        best = Exit.UNWITNESSED if missing else Exit.VALID
        code = _worst((problem.code for problem in self.problems), best)
        status = STATUS[code]
        if code == Exit.UNWITNESSED:
            *first, last = missing
            status = f"valid but {', '.join(first)} and {last}" if first else f"valid but {last}"
        return Verdict(
            int(code),
            status,
            tuple(self.problems[:MAX_PROBLEMS]),
            tuple(self.checks),
            self.witnessed,
            self.timestamped,
            tuple(_plain(why) for why in missing.values()),
            tuple(self.times),
            tuple(self.exports),
            tuple(self.withheld),
            self.recorded_at,
            self.complete,
            self.counted,
            custody=self.custody,
            revocation=tuple(map(_plain, self.revocation)),
        )

    def _why_unpinned(self) -> str:
        return (
            "unpinned: the keys of these, who signed about custody, are known only from the ledger,"
            f" so from the operator: {', '.join(self.custody.unpinned)}. Get their keys from "
            "themselves, into `people` of the trust input"
        )

    def _add(self, file: str, what: object, code: Exit) -> None:
        if len(self.problems) == MAX_FOUND:
            self.problems.append(Problem(_plain(file), "and no more is looked at", Exit.INVALID))
            raise TooMuchError(f"more than {MAX_FOUND} problems")
        # Names come from the bundle: keep terminal escapes and line breaks out of the report.
        self.problems.append(Problem(_plain(file), _plain(str(what)), code))


def _worst(codes: Iterable[Exit], best: Exit) -> Exit:
    found = set(codes)
    for code in (Exit.INVALID, Exit.INCOMPLETE, Exit.TRUST_MISSING):
        if code in found:
            return code
    return best


def _plain(text: str) -> str:
    return ascii(text[:500])[1:-1] if not text.isascii() or not text.isprintable() else text[:500]
