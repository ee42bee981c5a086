"""What could this principal reach: whom it can become, step by step, and what they may touch. Pure.

It says what the policies leave possible, conditions not counted; what an organisation's policies or
a resource's own forbid besides is not known here, so it may say too much and not too little.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from playbooks.review.escalation import RUNS_AS, held, ways
from playbooks.review.flags import is_admin
from playbooks.review.holding import Holding
from playbooks.review.statements import Granted
from playbooks.review.trust import trusted

ASSUME = "sts:AssumeRole"
# Ways that end in whatever rights one likes, without becoming somebody else first.
BECOMES_ADMIN = {
    "rewrites a policy in use",
    "takes an older version of a policy",
    "attaches a policy to a user",
    "attaches a policy to a group",
    "writes a policy of a user",
    "writes a policy of a group",
    "joins a group",
}
TAKES_OVER_USER = {
    "iam:CreateAccessKey": "makes a key of it",
    "iam:CreateLoginProfile": "makes a password of it",
    "iam:UpdateLoginProfile": "changes its password",
}


@dataclass(frozen=True, slots=True)
class Reached:
    """One that can be reached: from whom at the last step, and how; the start has neither."""

    key: str
    origin: str = ""
    how: str = ""


def reach(start: str, holdings: Mapping[str, Holding]) -> dict[str, Reached]:
    """Return all users and roles that the start can become, each by a shortest way.

    One that can make itself an administrator reaches everybody: that stands as the way.
    """
    found = {start: Reached(start)}
    waiting = deque([start])
    while waiting:
        now = holdings.get(waiting.popleft())
        if now is None:
            continue
        for key, how in _edges(now, holdings.values()):
            if key not in found:
                found[key] = Reached(key, now.key, how)
                waiting.append(key)
    return found


def path(key: str, found: Mapping[str, Reached]) -> tuple[str, ...]:
    """Return the way to one that was reached, as sentences from the start on."""
    said: list[str] = []
    while (step := found[key]).origin:
        said.append(f"{step.origin} -> {step.key}: {step.how}")
        key = step.origin
    return tuple(reversed(said))


def touches(granted: Granted) -> dict[str, list[str]]:
    """Return action pattern -> resource patterns that are allowed; with ! in front, all but."""
    found: dict[str, list[str]] = {}
    for one in granted.statements:
        if not one.allows:
            continue
        actions = (
            one.actions if one.actions is not None else ["!" + a for a in one.but_actions or ()]
        )
        for action in actions:
            there = found.setdefault(action, [])
            named = one.resources or tuple("!" + r for r in one.but_resources or ())
            there += [r for r in named if r not in there]
    return found


def _edges(here: Holding, all_: Iterable[Holding]) -> Iterator[tuple[str, str]]:
    granted = here.granted
    opened = BECOMES_ADMIN.intersection(ways(held(granted)))
    if (admin := is_admin(granted)) or opened:
        why = "is an administrator" if admin else min(opened)
        for other in all_:
            if other.kind != "group":
                yield other.key, why
        return
    runs = [service for service, calls in RUNS_AS.items() if all(map(granted.may, calls))]
    for other in all_:
        if other.key != here.key and (how := _how(here, granted, other, runs)):
            yield other.key, how


def _how(here: Holding, granted: Granted, other: Holding, runs: list[str]) -> str:
    """Return how one becomes the other; nothing where it cannot."""
    if other.kind == "user":
        return next((h for a, h in TAKES_OVER_USER.items() if granted.may(a, other.arn)), "")
    if other.kind != "role" or other.trust is None:
        return ""
    if _assumes(here, granted, other):
        return "assumes it"
    if granted.may("iam:UpdateAssumeRolePolicy", other.arn):
        return "changes whom it trusts"
    if granted.may("iam:PassRole", other.arn):
        services = {t.name.partition(".")[0] for t in trusted(other.trust) if t.kind == "Service"}
        for service in runs:
            if _name(service) in services:
                return f"passes it to {service}"
    return ""


def _assumes(here: Holding, granted: Granted, role: Holding) -> bool:
    """Return whether the trust policy and the principal's own let it in.

    In one account a trust policy that names the principal is enough; one that names the account
    leaves it to the principal's policies (IAM User Guide, "Cross-account policy evaluation logic",
    "How a principal is evaluated within an account").
    """
    may = granted.may(ASSUME, role.arn)
    for one in trusted(role.trust or {}):
        if one.kind != "AWS":
            continue
        if one.name == here.arn and (may or not _denied(granted, role.arn)):
            return True
        if may and (one.name == "*" or (one.whole_account and one.account == here.key[:12])):
            return True
    return False


def _denied(granted: Granted, arn: str) -> bool:
    return any(
        not s.allows and not s.conditional and s.names(ASSUME) and s.covers(arn)
        for s in granted.statements
    )


def _name(service: str) -> str:
    """Return the service's own name in a trust policy, of a way's name such as `lambda event`."""
    return {"ecs": "ecs-tasks"}.get(service, service.partition(" ")[0])
