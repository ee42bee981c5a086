"""Who is acted on in IAM Identity Center: a user or group of one instance's identity store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from actions.aws.clients import Aws

Kind = Literal["USER", "GROUP"]


@dataclass(frozen=True, slots=True)
class Person:
    """A principal of Identity Center, as its assignments name it.

    `account` (12 digits) and `region` are where the instance is administered: the management
    account or its delegated administrator. `principal_id` is the identity store's id, which is
    never given anew (IAM Identity Center API Reference, "AccountAssignment").
    """

    account: str
    region: str
    instance_arn: str
    kind: Kind
    principal_id: str

    @property
    def key(self) -> str:
        """Return account/region/sso/kind/id, which names it in steps and incidents."""
        return f"{self.account}/{self.region}/sso/{self.kind.lower()}/{self.principal_id}"


def assignments(p: Aws, who: Person) -> Iterator[dict[str, Any]]:
    """Yield the principal's account assignments, those that it has through groups too."""
    pages = p.sso_admin.get_paginator("list_account_assignments_for_principal").paginate(
        InstanceArn=who.instance_arn, PrincipalId=who.principal_id, PrincipalType=who.kind
    )
    for page in pages:
        for found in page["AccountAssignments"]:
            yield dict(found)


def own(who: Person, assignment: dict[str, Any]) -> bool:
    """Return whether an assignment is the principal's own, and not one of a group it is in."""
    return bool(assignment.get("PrincipalId", who.principal_id) == who.principal_id)
