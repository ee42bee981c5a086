"""Reads a role's trust policy: who may become it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.review.statements import listed

ACCOUNT = re.compile(r"\d{12}")
# What lets somebody become the role; sts:TagSession and sts:SetSourceIdentity alone do not.
ASSUMES = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:*",
    "*",
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """One who is trusted: `kind` is AWS, Service, Federated or *; `name` as the policy has it."""

    kind: str
    name: str
    conditional: bool

    @property
    def account(self) -> str:
        """Return the account of an AWS principal, or nothing where it names none."""
        if ACCOUNT.fullmatch(self.name):
            return self.name
        parts = self.name.split(":")
        return parts[4] if len(parts) > 5 and ACCOUNT.fullmatch(parts[4]) else ""

    @property
    def whole_account(self) -> bool:
        """Return whether it is an account, which then says itself who of it may."""
        return self.name == self.account or self.name.endswith(":root")


def trusted(document: Mapping[str, Any]) -> tuple[Trusted, ...]:
    """Return who a trust policy (AssumeRolePolicyDocument) lets in."""
    found = []
    for one in listed(document.get("Statement", [])):
        actions = {str(a).lower() for a in listed(one.get("Action", []))}
        if one.get("Effect") != "Allow" or not actions & set(ASSUMES):
            continue
        principal = one.get("Principal", {})
        named = {"AWS": "*"} if principal == "*" else principal
        for kind, names in named.items():
            found += [Trusted(kind, str(n), bool(one.get("Condition"))) for n in listed(names)]
    return tuple(found)


def outside(document: Mapping[str, Any], account: str) -> tuple[Trusted, ...]:
    """Return who of another account, or anybody at all, is let in.

    An AWS service and an identity provider of this account's own are not outside. A principal id
    (AROA..., what is left of one that was deleted) names no account and counts as inside: it can
    no longer come.
    """
    return tuple(
        one
        for one in trusted(document)
        if one.kind == "AWS" and (one.name == "*" or one.account not in ("", account))
    )
