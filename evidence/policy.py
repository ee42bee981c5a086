"""Which witnesses must have cosigned a checkpoint for it to count (C2SP tlog-policy).

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> <k>|any|all <name>...
    quorum <name>|none

One item a line; a name is defined before it is used, and is a member of one group at most, so that
each witness counts in only one way.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from evidence.cosignature import Cosigner, parse_cosigner
from evidence.errors import NoteError, PolicyError
from evidence.note import NoteVerifier, parse_vkey

MAX_TEXT = 1 << 16
# The specification asks for 32 of each at least ("Implementation limits").
MAX_LINES = 1000
NONE = "none"

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_COUNT = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these witnesses or groups, by name, must have witnessed a checkpoint."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses and groups by name, and the name of what is needed (`none` for nothing)."""

    logs: tuple[NoteVerifier, ...]
    witnesses: Mapping[str, Cosigner]
    groups: Mapping[str, Group]
    quorum: str

    @property
    def asks(self) -> bool:
        """Whether a checkpoint needs any witness at all."""
        return self.quorum != NONE

    def met(self, cosigners: Iterable[Cosigner]) -> bool:
        """Return whether these cosigners are a quorum; without one asked for, they are."""
        # By key: one that signs under another name is the same witness.
        keys = {cosigner.public for cosigner in cosigners}
        witnessed = {name: one.public in keys for name, one in self.witnesses.items()}
        # In the order of the file: what a group refers to stands before it.
        for name, group in self.groups.items():
            witnessed[name] = sum(witnessed[member] for member in group.members) >= group.needed
        return not self.asks or witnessed[self.quorum]


def parse_policy(text: str) -> Policy:
    """Read a policy.

    Raises:
        PolicyError: naming the line that is not as the specification has it.
    """
    if len(text) > MAX_TEXT or text.count("\n") > MAX_LINES:
        raise PolicyError(f"policy of more than {MAX_TEXT} characters or {MAX_LINES} lines")
    if not text.endswith("\n"):
        raise PolicyError("policy without a newline at its end; it may have been cut off")
    if _CONTROL.search(text):
        raise PolicyError("policy with control characters; only tab and newline may stand in it")
    reading = _Reading({}, {}, {}, set(), "")
    for number, line in enumerate(text[:-1].split("\n"), 1):
        # Space and tab only: what else looks like a space belongs to a name.
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            try:
                reading.line(words)
            except (PolicyError, NoteError) as error:
                raise PolicyError(f"policy line {number}: {error}") from error
    if not reading.quorum:
        raise PolicyError("policy without a quorum line; `quorum none` asks for no witness")
    logs = tuple(reading.logs.values())
    return Policy(logs, reading.witnesses, reading.groups, reading.quorum)


@dataclass(slots=True)
class _Reading:
    logs: dict[bytes, NoteVerifier]
    witnesses: dict[str, Cosigner]
    groups: dict[str, Group]
    grouped: set[str]
    quorum: str

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                log = parse_vkey(key)
                if log.public in self.logs:
                    raise PolicyError("the same log key a second time")
                self.logs[log.public] = log
            case ["witness", name, key] | ["witness", name, key, _]:
                self._refuse_defined(name)
                witness = parse_cosigner(key)
                if any(witness.public == known.public for known in self.witnesses.values()):
                    raise PolicyError("the same witness key a second time")
                self.witnesses[name] = witness
            case ["group", name, count, *members] if members:
                self._refuse_defined(name)
                self.groups[name] = self._group(count, tuple(members))
            case ["quorum", name]:
                if self.quorum:
                    raise PolicyError("a second quorum")
                if name != NONE:
                    self._refuse_undefined(name)
                self.quorum = name
            case _:
                raise PolicyError(
                    "not `log VKEY [URL]`, `witness NAME VKEY [URL]`, "
                    "`group NAME K|any|all NAME...` or `quorum NAME|none`"
                )

    def _group(self, count: str, members: tuple[str, ...]) -> Group:
        for member in members:
            self._refuse_undefined(member)
            if member in self.grouped:
                raise PolicyError(f"{member!r} is in a group already; it would count twice")
            self.grouped.add(member)
        words = {"any": "1", "all": str(len(members))}
        number = words.get(count, count)
        if not _COUNT.fullmatch(number) or int(number) > len(members):
            raise PolicyError(f"{count!r} of {len(members)}; expected 1 to {len(members)}")
        return Group(int(number), members)

    def _refuse_defined(self, name: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise PolicyError(f"{name!r} is defined already")

    def _refuse_undefined(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise PolicyError(f"{name!r} is not defined on a line before")
