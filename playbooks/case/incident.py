"""The incident: what happened, to what, how bad, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from playbooks.case.severity import Severity


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `target` holds account, region and the resource's id.

    What is no host has `aws-global` or `vault` for a region and kind/name for an id, such as
    user/alice; a Vault's name stands where an account does.

    `hindrances` says why nothing may happen by itself; empty means pre-approved acts may.
    `status` is open, waiting, contained, contained, live flows possible, partial, refused, gone,
    rolling back, rolled-back, releasing, "released, old sessions denied" or released. `entry`
    counts how often the play was entered.
    """

    id: str
    play: str
    title: str
    severity: Severity
    target: Mapping[str, str]
    opened: datetime
    requester: str
    hindrances: tuple[str, ...] = ()
    status: str = "open"
    says: str = ""
    entry: int = 0
    alert: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return what the target is: instance, user, role, vault, secret, account."""
        kind, there, _ = self.target.get("id", "").partition("/")
        return kind if there else self.target.get("kind", "instance")

    @property
    def place(self) -> str:
        """Return what it is about, as account/region/id."""
        return "/".join(self.target.get(part, "") for part in ("account", "region", "id"))


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a person: may these scopes be acted on? State: open, yes, no, used, lapsed."""

    id: str
    incident: str
    step: str
    scopes: tuple[Mapping[str, Any], ...]
    about: Mapping[str, Any]
    requester: str
    asked: datetime
    expires: datetime
    state: str = "open"
    approver: str = ""
    reason: str = ""
    proof: str = ""
