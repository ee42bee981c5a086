"""One row of a review: a principal, a privilege of it, its last use, its owner, its flags. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from playbooks.review import flags
from playbooks.review.credential_report import Report, Reported
from playbooks.review.flags import Ages
from playbooks.review.holding import Holding, Right
from playbooks.review.trust import outside

DECISIONS = ("keep", "revoke", "reduce", "rotate")
# What can be decided of a privilege, by its kind, the part before the first slash.
CHOICES = {
    "policy": ("keep", "revoke", "reduce"),
    "inline": ("keep", "revoke", "reduce"),
    "group": ("keep", "revoke"),
    "trust": ("keep", "revoke"),
    "assignment": ("keep", "revoke"),
    "key": ("keep", "revoke", "rotate"),
    "console": ("keep", "revoke"),
    "nothing": ("keep", "revoke"),
    "root": ("keep",),
    # Of a Vault.
    "entity": ("keep", "revoke"),
    "login": ("keep", "revoke"),
    "acl": ("keep", "revoke"),
    "token": ("keep", "revoke"),
}


def choices_of(privilege: str) -> tuple[str, ...]:
    """Return what can be decided of a privilege."""
    return CHOICES[privilege.partition("/")[0]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row. `digest` is of the state of its principal; `used` is None where no use is known.

    `about` holds what the privilege's own state is, where that of the principal leaves it out.
    """

    principal: str
    privilege: str
    owner: str
    used: datetime | None
    flags: tuple[str, ...]
    digest: str
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the row's id: 16 hex digits, the same in each campaign."""
        return hashlib.sha256(f"{self.principal}\n{self.privilege}".encode()).hexdigest()[:16]

    @property
    def kind(self) -> str:
        """Return the kind of the privilege."""
        return self.privilege.partition("/")[0]

    @property
    def choices(self) -> tuple[str, ...]:
        """Return what can be decided of it."""
        return choices_of(self.privilege)


@dataclass(frozen=True, slots=True)
class Reading:
    """What rows are made with: the report, the ages that count, and the tag that names an owner."""

    report: Report
    ages: Ages
    owner_tag: str = "owner"


def rows(held: Holding, by: Reading) -> Iterator[Row]:
    """Yield the rows of one user, role or group: at least one of each."""
    reported = by.report.users.get(held.name) if held.kind == "user" else None
    used = held.used or _used(reported)
    plain = Row(held.key, "nothing", held.tags.get(by.owner_tag, ""), used, (), held.digest)
    idle = () if held.kind == "group" else flags.of_use(used, held.created, by.ages)
    made = [
        replace(plain, privilege=r.privilege, flags=_of(r, held, idle), digest=held.digest_of(r))
        for r in held.rights
    ]
    if held.trust is not None and (strangers := outside(held.trust, held.key[:12])):
        named = {"trusts": sorted({s.name for s in strangers})}
        found = flags.joined((flags.EXTERNAL,), idle)
        made.append(replace(plain, privilege="trust", flags=found, about=named))
    if reported:
        made += _credentials(plain, reported, by.ages)
    yield from made or [replace(plain, flags=idle)]


def root(account: str, by: Reading, reported: Reported) -> Row:
    """Return the row of the account's root user, which no API can change."""
    held = flags.joined(
        (flags.ADMIN,),
        () if reported.mfa else (flags.NO_MFA,),
        (f"key {k.place}" for k in reported.keys),
    )
    used = _used(reported)
    return Row(f"{account}/aws-global/account/root", "root", "", used, held, "root")


def _of(right: Right, held: Holding, idle: tuple[str, ...]) -> tuple[str, ...]:
    return flags.joined(flags.of_grant(right, held.granted), idle)


def _credentials(plain: Row, reported: Reported, ages: Ages) -> Iterator[Row]:
    if reported.console:
        found = () if reported.mfa else (flags.NO_MFA,)
        yield replace(plain, privilege="console", used=reported.console_used, flags=found)
    for key in reported.keys:
        state = {
            "active": key.active,
            "made": key.rotated.isoformat() if key.rotated else "",
        }
        yield replace(
            plain,
            privilege=f"key/{key.place}",
            used=key.used,
            flags=flags.of_key(key, ages) if key.active else ("inactive",),
            about=state,
        )


def _used(reported: Reported | None) -> datetime | None:
    """Return when a user was last seen: by its password or any key."""
    if reported is None:
        return None
    times = [reported.console_used, *(k.used for k in reported.keys)]
    return max((t for t in times if t), default=None)
