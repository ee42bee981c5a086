"""May this request be made? IAM's answer (IAM: Policy evaluation logic), for any policy.

Nothing here knows what the policies are for. A request is one action on one resource with a
context; `decide` gives the verdict over identity policies, a permissions boundary, a session
policy and service control policies; a resource's own policy joins in resource_policies.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.conditions import holds, listed
from playbooks.drills.range.patterns import Values, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Document = Mapping[str, Any]


class Verdict(StrEnum):
    """How a request ended; only ALLOW lets it through."""

    ALLOW = "Allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class Request:
    """One action on one resource. `context` maps lower-case condition keys to their values."""

    action: str
    resource: str = "*"
    context: Mapping[str, Values] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies that bear on one principal, as parsed JSON documents.

    `boundary` and `session` are None when none is set. `scps` has one tuple a level of the
    organisation, root first; () when the account is in no organisation.
    """

    identity: tuple[Document, ...] = ()
    boundary: Document | None = None
    session: Document | None = None
    scps: tuple[tuple[Document, ...], ...] = ()
    is_root: bool = False


def decide(request: Request, policies: Policies) -> Verdict:
    """The verdict: an explicit deny anywhere wins, then every layer that is set must allow."""
    layers: list[tuple[Document, ...]] = [*policies.scps]
    if not policies.is_root:
        layers.append(policies.identity)
        layers += [(doc,) for doc in (policies.boundary, policies.session) if doc is not None]
    found = [effects(request, layer) for layer in layers]
    if any("Deny" in effect for effect in found):
        return Verdict.EXPLICIT_DENY
    return Verdict.ALLOW if all("Allow" in effect for effect in found) else Verdict.IMPLICIT_DENY


def effects(request: Request, documents: Iterable[Document]) -> set[str]:
    """The effects ("Allow", "Deny") of all statements that apply to the request."""
    return {
        statement["Effect"]
        for document in documents
        for statement in listed(document.get("Statement", []))
        if applies(statement, request)
    }


def named_services(documents: Iterable[Document], known: Iterable[str]) -> set[str]:
    """The services, of those known, that Allow statements name any action of."""
    found: set[str] = set()
    for statement in (s for d in documents for s in listed(d.get("Statement", []))):
        if statement["Effect"] == "Allow":
            patterns = [p.partition(":")[0] for p in listed(statement.get("Action", "*"))]
            found |= {n for n in known if any(matches(p, n, {}, fold=True) for p in patterns)}
    return found


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether one statement speaks of this request: action, resource and every condition."""
    return (
        _action(statement, request)
        and _resource(statement, request)
        and holds(statement.get("Condition", {}), request.context)
    )


def _action(statement: Mapping[str, Any], request: Request) -> bool:
    def named(element: str) -> bool:
        # Action names are not case-sensitive (IAM: Policy elements: Action).
        return any(
            matches(pattern, request.action, {}, fold=True)
            for pattern in listed(statement[element])
        )

    return not named("NotAction") if "NotAction" in statement else named("Action")


def _resource(statement: Mapping[str, Any], request: Request) -> bool:
    def named(element: str) -> bool:
        return any(
            matches(pattern, request.resource, request.context)
            for pattern in listed(statement[element])
        )

    if "NotResource" in statement:
        return not named("NotResource")
    # A trust policy has no Resource: it speaks of the role it hangs on.
    return named("Resource") if "Resource" in statement else True
