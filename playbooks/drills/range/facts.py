"""What authorization rests on, as small facts about each thing in IAM and Organizations.

A fact has a key of two parts, such as ("inline", "a policy's name"), and a text. Facts are taken
from what the API shows; `facts_of` gives those that are effective now, which are the same unless
the world delays them (propagation.py).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playbooks.drills.range.ground import Ground

Facts = dict[tuple[str, str], str]
AWS_OWNED = "arn:aws:iam::aws:policy/"


class Thing(NamedTuple):
    """What facts are about: a user (by name), role (by id), group, policy (by ARN), key, or a part
    of an organisation (`account` is then its management account)."""

    account: str
    kind: str
    name: str


def facts_of(ground: Ground, thing: Thing) -> Facts:
    """The facts that are effective now; empty when there is no such thing."""
    if ground.lag is not None and not thing.name.startswith(AWS_OWNED):
        return ground.lag.effective(thing)
    return shown(ground, thing)


def shown(ground: Ground, thing: Thing) -> Facts:
    """The facts as the API shows them."""
    return _READERS[thing.kind](ground, thing)


def things(ground: Ground) -> Iterator[Thing]:
    """Everything that facts are about, but AWS's own policies."""
    for account, partitions in list(iam_backends.items()):
        iam: Any = partitions.get("aws")
        if iam is not None:
            yield from (Thing(account, "user", name) for name in iam.users)
            yield from (Thing(account, "role", role_id) for role_id in iam.roles)
            yield from (Thing(account, "group", name) for name in iam.groups)
            yield from (Thing(account, "key", key_id) for key_id in iam.access_keys)
            for arn in iam.managed_policies:
                if not arn.startswith(AWS_OWNED):
                    yield Thing(account, "policy", arn)
    for management, kept in list(organizations_backends.items()):
        org: Any = kept.get("aws")
        if org is not None and org.org is not None:
            yield from (Thing(management, "node", node.id) for node in (*org.accounts, *org.ou))
            yield from (Thing(management, "scp", policy.id) for policy in org.policies)


@lru_cache(maxsize=4096)
def parsed(text: str) -> Mapping[str, Any]:
    """A policy's text as JSON; the same object for the same text, not to be changed."""
    document: dict[str, Any] = json.loads(text)
    return document


def _user(ground: Ground, thing: Thing) -> Facts:
    iam = ground.iam(thing.account)
    user = iam.users.get(thing.name)
    if user is None:
        return {}
    groups = {("group", g.name): "member" for g in iam.groups.values() if user in g.users}
    boundary = ground.kept.boundaries.get((thing.account, thing.name))
    return _holder(user, boundary) | groups


def _role(ground: Ground, thing: Thing) -> Facts:
    role = ground.iam(thing.account).roles.get(thing.name)
    if role is None:
        return {}
    trust = {("trust", ""): str(role.assume_role_policy_document)}
    return _holder(role, role.permissions_boundary_arn) | trust


def _group(ground: Ground, thing: Thing) -> Facts:
    group = ground.iam(thing.account).groups.get(thing.name)
    return {} if group is None else _holder(group, None)


def _holder(holder: Any, boundary: str | None) -> Facts:
    facts: Facts = {("id", ""): holder.id, ("arn", ""): holder.arn}
    facts |= {("inline", name): text for name, text in holder.policies.items()}
    facts |= {("attached", arn): "attached" for arn in holder.managed_policies}
    return facts | ({("boundary", ""): boundary} if boundary else {})


def _policy(ground: Ground, thing: Thing) -> Facts:
    policy = ground.iam(thing.account).managed_policies.get(thing.name)
    if policy is None:
        return {}
    default = policy.default_version_id
    return {("document", ""): next(v.document for v in policy.versions if v.version_id == default)}


def _key(ground: Ground, thing: Thing) -> Facts:
    key = ground.iam(thing.account).access_keys.get(thing.name)
    if key is None or key.user_name is None:
        return {}
    return {
        ("user", ""): key.user_name,
        ("status", ""): key.status,
        ("secret", ""): key.secret_access_key,
    }


def _node(_ground: Ground, thing: Thing) -> Facts:
    org: Any = organizations_backends[thing.account]["aws"]
    node = next((n for n in (*org.accounts, *org.ou) if n.id == thing.name), None)
    if node is None:
        return {}
    facts = {("scp", p.id): "attached" for p in node.attached_policies if p.type == SCP}
    facts[("parent", "")] = str(node.parent_id or "")
    if any(t["Type"] == SCP for t in getattr(node, "policy_types", ())):
        facts[("enabled", "")] = "enabled"
    return facts


def _scp(_ground: Ground, thing: Thing) -> Facts:
    org: Any = organizations_backends[thing.account]["aws"]
    policy = next((p for p in org.policies if p.id == thing.name), None)
    return {} if policy is None else {("document", ""): policy.content}


SCP = "SERVICE_CONTROL_POLICY"
_READERS = {
    "user": _user,
    "role": _role,
    "group": _group,
    "policy": _policy,
    "key": _key,
    "node": _node,
    "scp": _scp,
}
