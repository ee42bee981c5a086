"""Reads IAM policy documents: what do these statements let somebody do? Pure.

Conditions are not evaluated: a review asks what a grant could allow, so a conditional Allow counts
and a conditional Deny does not (IAM User Guide, "Policy evaluation logic").
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, its patterns as written; None where the element is absent."""

    allows: bool
    actions: tuple[str, ...] | None
    but_actions: tuple[str, ...] | None
    resources: tuple[str, ...] | None
    but_resources: tuple[str, ...] | None
    conditional: bool

    def names(self, action: str) -> bool:
        """Return whether the statement speaks of an action, such as iam:PassRole, or of all (*)."""
        if self.but_actions is not None:
            return action != "*" and not any(fits(p, action, fold=True) for p in self.but_actions)
        return any(fits(p, action, fold=True) for p in self.actions or ())

    def covers(self, resource: str) -> bool:
        """Return whether the statement speaks of this resource; a trust policy names none."""
        if self.but_resources is not None:
            return not any(fits(p, resource) for p in self.but_resources)
        return self.resources is None or any(fits(p, resource) for p in self.resources)

    @property
    def everywhere(self) -> bool:
        """Return whether it speaks of every resource."""
        return self.resources == ("*",) or (self.resources is None and self.but_resources is None)


@dataclass(frozen=True, slots=True)
class Granted:
    """All statements that bear on somebody, and those that bound them; None where nothing does."""

    statements: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None

    def may(self, action: str, resource: str | None = None) -> bool:
        """Return whether the action is allowed on the resource, or on any where none is given."""
        return may(self.statements, action, resource) and (
            self.boundary is None or may(self.boundary, action, resource)
        )

    def on(self, action: str) -> tuple[str, ...]:
        """Return the resource patterns on which the action is allowed, before any denial."""
        found: dict[str, None] = {}
        for one in self.statements:
            if one.allows and one.names(action):
                found.update(dict.fromkeys(one.resources or ("*",)))
        return tuple(found)


def statements(document: Document) -> tuple[Statement, ...]:
    """Return a document's statements."""
    return _read(json.dumps(document, sort_keys=True))


def may(bearing: Iterable[Statement], action: str, resource: str | None = None) -> bool:
    """Return whether these statements allow the action and no unconditional one denies it.

    Without a resource a denial counts only where it speaks of every resource.
    """
    allowed = False
    for one in bearing:
        if not one.names(action):
            continue
        if one.allows:
            allowed = allowed or resource is None or one.covers(resource)
        elif not one.conditional and (one.everywhere if resource is None else one.covers(resource)):
            return False
    return allowed


@lru_cache(maxsize=8192)
def _read(text: str) -> tuple[Statement, ...]:
    return tuple(
        Statement(
            allows=one.get("Effect") == "Allow",
            actions=_listed(one, "Action"),
            but_actions=_listed(one, "NotAction"),
            resources=_listed(one, "Resource"),
            but_resources=_listed(one, "NotResource"),
            conditional=bool(one.get("Condition")),
        )
        for one in listed(json.loads(text).get("Statement", []))
    )


def listed(value: Any) -> list[Any]:
    """Return a policy element as a list: IAM lets a single value stand for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _listed(statement: Mapping[str, Any], element: str) -> tuple[str, ...] | None:
    return tuple(map(str, listed(statement[element]))) if element in statement else None


@lru_cache(maxsize=65536)
def fits(pattern: str, text: str, *, fold: bool = False) -> bool:
    """Return whether the text fits an IAM pattern: `*` any run, `?` one character.

    A policy variable, such as ${aws:username}, stands for any text (IAM User Guide, "IAM policy
    elements: Variables and tags").
    """
    if pattern in ("*", text):
        return True
    wild = re.sub(r"\$\{[^}]*\}", "*", pattern)
    made = re.escape(wild).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(made, text, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None
