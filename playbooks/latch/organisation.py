"""Reads the organisation: whether the latch is attached, is as planned, and who may change it.

Everything is read from the delegated administrator's account; nothing is written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from actions.aws import latch
from actions.errors import UnfitError
from playbooks.latch.planned import Planned
from playbooks.wiring.latch_part import Latch

KIND = "SERVICE_CONTROL_POLICY"
# What would take the latch off, or let somebody else do so.
WRITES = ("AttachPolicy", "DeletePolicy", "DetachPolicy", "DisablePolicyType", "UpdatePolicy")


@dataclass(frozen=True, slots=True)
class Found:
    """One line: what it is about, how that is, what was found, and what to do.

    `bad` means that a denial could be taken off; `warn` is for somebody to know and decide.
    """

    about: str
    level: Literal["ok", "warn", "bad"]
    what: str
    do: str = ""


def policies(org: Any, part: Latch, plan: Planned) -> Iterator[Found]:
    """Say of both policies whether they are as planned, whom the latch names, and its room."""
    again = "Write what `stanch latch plan` prints, from the management account."
    for name, id, planned in (
        ("latch", part.policy, plan.latch),
        ("shield", part.shield, plan.shield),
    ):
        if id is None:
            yield Found(name, "bad", "not named", f"Put its id into [latch] as {_key(name)}.")
            continue
        content = _content(org, id)
        if content is None:
            yield Found(name, "bad", f"there is no policy {id}", again)
        elif name == "shield":
            same = _same(content, planned)
            what = f"{id} is as planned" if same else f"{id} is not what is planned (drift)"
            yield Found(name, "ok" if same else "bad", what, "" if same else again)
        else:
            yield from _latch(id, content, part, again)


def named(org: Any, part: Latch) -> tuple[str, ...] | None:
    """Return whom the latch names; None where there is no latch to be read."""
    content = _content(org, part.policy) if part.policy else None
    try:
        return None if content is None else latch.latched(content)
    except UnfitError:
        return None  # `policies` says what is wrong with it


def _latch(id: str, content: str, part: Latch, again: str) -> Iterator[Found]:
    try:
        named = latch.latched(content)
    except UnfitError as error:
        yield Found("latch", "bad", str(error), again)
        return
    same = _same(content, latch.document(named))
    what = f"{id} is as planned" if same else f"{id} holds more or else than is planned (drift)"
    yield Found("latch", "ok" if same else "bad", what, "" if same else again)
    left = latch.room(content, part.characters)
    yield Found(
        "room",
        "ok" if left.principals else "bad",
        f"{len(named)} principals are latched ({', '.join(named) or 'none'}); room for "
        f"{left.characters} characters, about {left.principals} principals",
        "" if left.principals else "Release incidents that are over.",
    )


def bound(org: Any, part: Latch, accounts: Iterable[str]) -> Iterator[Found]:
    """Say of each account whether both policies bind it, wherever above it they are attached."""
    enabled = {
        kind["Type"]: kind["Status"] == "ENABLED"
        for page in org.get_paginator("list_roots").paginate()
        for root in page["Roots"]
        for kind in root["PolicyTypes"]
    }
    if not enabled.get(KIND):
        yield Found(
            "organisation",
            "bad",
            "service control policies are not enabled: nothing binds",
            f"Enable {KIND} in the root.",
        )
    for account in sorted(accounts):
        about = f"account {account}"
        if account == part.management:
            yield Found(about, "warn", "the management account: no such policy binds it", _MOVE)
            continue
        above = _above(org, account)
        for name, id in (("latch", part.policy), ("shield", part.shield)):
            where = [node for node, attached in above.items() if id in attached]
            if where:
                yield Found(about, "ok", f"{name} attached to {', '.join(where)}")
            else:
                yield Found(
                    about,
                    "bad",
                    f"{name} not attached: race-exposed",
                    f"Attach {id or f'the {name}'} to the account or above it.",
                )


def writers(org: Any, part: Latch) -> Iterator[Found]:
    """Say who could still take the latch off: by the resource policy, and in any case."""
    yield Found(
        "writers",
        "ok",
        f"account {part.management} (management) can change every policy; it is not bound",
    )
    try:
        content = org.describe_resource_policy()["ResourcePolicy"]["Content"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourcePolicyNotFoundException":
            raise
        yield Found("writers", "bad", "there is no resource policy: Stanch cannot latch", _PUT)
        return
    for statement in json.loads(content).get("Statement", []):
        may = [w for w in WRITES if _covers(statement, w)]
        if statement.get("Effect") == "Allow" and may:
            who = _listed(statement.get("Principal", {}))
            if condition := statement.get("Condition"):
                who += f" where {json.dumps(condition, sort_keys=True)}"
            ours = statement.get("Sid") == "StanchLatches" and may == ["UpdatePolicy"]
            yield Found(
                "writers",
                "ok" if ours else "warn",
                f"{who} may {', '.join(may)} on {_listed(statement.get('Resource', '*'))}",
                "" if ours else "Is that meant? Whoever that is can take the latch off.",
            )


def _above(org: Any, account: str) -> dict[str, set[str]]:
    """Return the policies attached to the account, and to each node above it up to the root."""
    nodes: dict[str, set[str]] = {}
    node = account
    while node:
        pages = org.get_paginator("list_policies_for_target").paginate(TargetId=node, Filter=KIND)
        nodes[node] = {policy["Id"] for page in pages for policy in page["Policies"]}
        if node.startswith("r-"):
            break
        # An account or a unit has one parent (ListParents).
        node = org.list_parents(ChildId=node)["Parents"][0]["Id"]
    return nodes


def _content(org: Any, id: str) -> str | None:
    try:
        return str(org.describe_policy(PolicyId=id)["Policy"]["Content"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "PolicyNotFoundException":
            raise
        return None


def _same(content: str, planned: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(content) == planned)
    except ValueError:
        return False


def _covers(statement: Mapping[str, Any], operation: str) -> bool:
    actions = statement.get("Action", [])
    for one in actions if isinstance(actions, list) else [actions]:
        name = str(one).rpartition(":")[2].lower()
        if name == operation.lower() or (
            name.endswith("*") and operation.lower().startswith(name[:-1])
        ):
            return True
    return False


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_listed(v) for v in value.values()) or "nobody"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _key(name: str) -> str:
    return {"latch": "policy", "shield": "shield"}[name]


_MOVE = "Keep no workloads there; Stanch can deny in the account alone, which is race-exposed."
_PUT = "Put the delegation that `stanch latch plan` prints, from the management account."
