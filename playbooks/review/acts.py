"""From decisions to acts: what is to be done to each principal, as the actions that do it."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actions.aws.clients import Aws
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.detach_policies import DetachPolicies
from actions.aws.leave_groups import LeaveGroups
from actions.aws.policy_holder import PolicyHolder
from actions.aws.principal import Principal
from actions.aws.reduce_permissions import ReducePermissions
from actions.aws.revoke_trust import RevokeTrust
from actions.catalogue import revive
from actions.identity.person import Person
from actions.identity.remove_account_assignments import RemoveAccountAssignments
from playbooks.case.incident import Incident
from playbooks.case.store.reviews import ReviewRow
from playbooks.review.act import Act
from playbooks.review.holding import Holding
from playbooks.review.least_privilege import least
from playbooks.review.live import Live
from playbooks.review.used import used
from playbooks.review.vault_acts import revoking, revoking_tokens

Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Planned:
    """What will be done, and why nothing is done for a row, by its id."""

    acts: list[Act] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


def recorded(incident: Incident) -> list[Act]:
    """Return the acts that an incident was opened for. Raise UnfitError for an unknown one."""
    listed = incident.alert.get("acts", [])
    return [Act(revive(a["action"], a["fields"]), tuple(a["rows"])) for a in listed]


async def planned(
    aws: Aws | None, rows: Iterable[ReviewRow], now: Live, since: datetime, sleep: Sleep
) -> Planned:
    """Return the acts for decided rows, principal by principal; all of each one's rows are given.

    What `reduce` leaves is what was used `since` then. Raises InventoryError, or what AWS said.
    """
    found = Planned()
    by_principal: dict[str, list[ReviewRow]] = defaultdict(list)
    tokens: list[ReviewRow] = []
    for row in rows:
        by_principal[row.principal].append(row)
    for principal, mine in by_principal.items():
        if principal.split("/")[1] == "vault":
            gone = [r for r in mine if _decision(r) == "revoke"]
            found.acts += [revoking(r) for r in gone if _kind(r) != "token"]
            tokens += [r for r in gone if _kind(r) == "token"]
            continue
        if principal.split("/")[2] == "sso":
            _unassign(found, principal, [r for r in mine if _decision(r) == "revoke"])
            continue
        if aws is None:
            raise TypeError(f"{principal} is of an account, and none was given")
        held = now.holdings[principal]
        wide = [r for r in mine if _decision(r) == "reduce"]
        gone = [r for r in mine if _decision(r) == "revoke"]
        if wide and not await _reduce(found, aws, held, wide, since, sleep):
            gone += wide
        _revoke(found, held, gone, mine, now)
    if tokens:
        # One act, and so one question: a token does not come back.
        found.acts.append(revoking_tokens(tokens))
    return found


def _unassign(found: Planned, principal: str, gone: list[ReviewRow]) -> None:
    if not gone:
        return
    account, region, _, kind, id = principal.split("/")
    which: Any = kind.upper()
    who = Person(account, region, str(gone[0].about["instance"]), which, id)
    sets = _named(gone, "assignment")
    found.acts.append(Act(RemoveAccountAssignments(who, tuple(sets)), tuple(sets.values())))


def _revoke(
    found: Planned, held: Holding, gone: list[ReviewRow], mine: list[ReviewRow], now: Live
) -> None:
    who, holder = _who(held), _holder(held)
    policies, inline = _named(gone, "policy"), _named(gone, "inline")
    if policies or inline:
        detach = DetachPolicies(holder, tuple(policies), tuple(inline))
        found.acts.append(Act(detach, (*policies.values(), *inline.values())))
    if groups := _named(gone, "group"):
        found.acts.append(Act(LeaveGroups(who, tuple(groups)), tuple(groups.values())))
    if keys := {now.keys[r.id]: r.id for r in gone if _kind(r) == "key" and r.id in now.keys}:
        found.acts.append(Act(DeactivateAccessKeys(who, tuple(keys)), tuple(keys.values())))
    for row in gone:
        if _kind(row) == "trust":
            found.acts.append(Act(RevokeTrust(who, tuple(row.about["trusts"])), (row.id,)))
        elif _kind(row) == "nothing":
            found.acts.append(Act(DenyPrincipal(who), (row.id,)))
        elif _kind(row) == "console":
            _console(found, who, row, mine)


def _console(found: Planned, who: Principal, row: ReviewRow, mine: list[ReviewRow]) -> None:
    """Cut the console by a denial of all, where the user has no other way in that is kept."""
    keeps = [r for r in mine if _kind(r) == "key" and _decision(r) == "keep" and r.about["active"]]
    if keeps:
        found.left[row.id] = (
            f"{who.name} keeps an access key, so that a denial is too much: delete the password by "
            "hand (aws iam delete-login-profile)"
        )
    else:
        found.acts.append(Act(DenyPrincipal(who), (row.id,)))


async def _reduce(
    found: Planned, aws: Aws, held: Holding, wide: list[ReviewRow], since: datetime, sleep: Sleep
) -> bool:
    """Put a narrower policy in the place of wide ones; return False where none of it was used."""
    did = await used(aws, held.arn, since, sleep)
    names = {row.privilege: row.id for row in wide}
    documents = [r.document for r in held.rights if r.privilege in names and r.document]
    narrow = least(documents, did)
    if not any(s["Effect"] == "Allow" for s in narrow["Statement"]):
        # A policy cannot be without a statement.
        return False
    text = json.dumps(narrow, sort_keys=True)
    attached, inline = _named(wide, "policy"), _named(wide, "inline")
    action = ReducePermissions(_holder(held), text, tuple(attached), tuple(inline))
    found.acts.append(Act(action, tuple(names.values())))
    return True


def _named(rows: Iterable[ReviewRow], kind: str) -> Mapping[str, str]:
    """Return what follows the kind in the privileges of that kind -> the row's id."""
    return {r.privilege.partition("/")[2]: r.id for r in rows if _kind(r) == kind}


def _kind(row: ReviewRow) -> str:
    return row.privilege.partition("/")[0]


def _decision(row: ReviewRow) -> str:
    return row.decided.decision if row.decided else ""


def _holder(held: Holding) -> PolicyHolder:
    kind: Any = held.kind
    return PolicyHolder(held.key[:12], kind, held.name)


def _who(held: Holding) -> Principal:
    return Principal(held.key[:12], "role" if held.kind == "role" else "user", held.name)
