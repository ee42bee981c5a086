"""What is done about each thing that an attacker made: an act with a way back, or a person's task.

A sweep finds it (`sweeping`); nothing is deleted that can be turned off instead.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from actions.action import Action
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.disable_event_rule import DisableEventRule
from actions.aws.disable_trust_anchor import DisableTrustAnchor
from actions.aws.principal import GLOBAL, Principal
from actions.aws.remove_identity_provider import RemoveIdentityProvider
from actions.aws.stop_function import StopFunction
from evidence.sources.following import Finding
from playbooks.case.points import open_point

if TYPE_CHECKING:
    from playbooks.case.case import Case

Acts = list[Action[Any]]
# Nothing is left to do about these once those who did it are denied; devices a play asks about.
ENDED = {"session", "removal", "mfa_device"}


def countering(case: "Case", who: Principal) -> Callable[[Finding], Coroutine[Any, Any, None]]:
    """Return what answers one finding about what `who`, or whoever it made, did."""

    async def answer(one: Finding) -> None:
        if one.kind == "removal" and "stanch-" in f"{one.name} {one.id}":
            # It stripped what denied it, before that bound.
            await case.act(DenyPrincipal(who), again=f"taken off in {one.event}")
            return
        acts = _acts(case, one)
        for act in acts:
            if act.target == who.key and not isinstance(act, DeactivateAccessKeys):
                continue  # Denied already, as the incident's own.
            # A key has a step of its own: its user may have another, or be denied as a whole.
            await case.act(act, again=one.id if one.kind == "access_key" else "")
        if not acts and one.kind not in ENDED and not _denied(case, one, who):
            text = f"{one.what} of {one.name} {one.id}".strip()
            open_point(
                case,
                f"made/{one.event}",
                f"to do: {text} by {one.by} at {one.at} cannot be answered by itself; look at it, "
                "and take it back by hand",
            )

    return answer


def _denied(case: "Case", one: Finding, who: Principal) -> bool:
    """Return whether it is about a principal that this incident denies, whatever that has."""
    name = one.name if "/" in one.name else f"user/{one.name}"
    if name == f"{who.kind}/{who.name}":
        return True
    return case.journal.find(f"deny_principal/{case.place}/{GLOBAL}/{name}") is not None


def _acts(case: "Case", one: Finding) -> Acts:
    account = case.place
    found: Mapping[str, Callable[[], Acts]] = {
        "user": lambda: _user(account, one.name),
        "role": lambda: [DenyPrincipal(Principal(account, "role", one.name))],
        "access_key": lambda: [
            DeactivateAccessKeys(Principal(account, "user", one.name), (one.id,))
        ],
        "login_profile": lambda: [DenyPrincipal(Principal(account, "user", one.name))],
        "trust": lambda: [DenyPrincipal(Principal(account, "role", one.name))],
        "oidc_provider": lambda: _provider(account, one),
        "saml_provider": lambda: _provider(account, one),
        "roles_anywhere": lambda: _anchor(account, one),
        "lambda": lambda: _function(account, one),
        "eventbridge": lambda: _rule(account, one),
    }
    return found.get(one.kind, list)()


def _user(account: str, name: str) -> Acts:
    user = Principal(account, "user", name)
    return [DenyPrincipal(user), DeactivateAccessKeys(user)]


def _provider(account: str, one: Finding) -> Acts:
    return [RemoveIdentityProvider(account, one.id)] if one.id.startswith("arn:") else []


def _anchor(account: str, one: Finding) -> Acts:
    region, anchor = _region(one), one.id.rpartition("/")[2]
    good = region and anchor and one.what.endswith("TrustAnchor")
    return [DisableTrustAnchor(account, region, anchor)] if good else []


def _function(account: str, one: Finding) -> Acts:
    region, name = _region(one), one.name.rpartition(":")[2]
    return [StopFunction(account, region, name)] if region and name else []


def _rule(account: str, one: Finding) -> Acts:
    region = _region(one)
    known = region and one.what in ("PutRule", "EnableRule")
    return [DisableEventRule(account, region, one.name)] if known else []


def _region(one: Finding) -> str:
    """Return the region of what an ARN names; empty where the event gave none."""
    return one.id.split(":")[3] if one.id.count(":") >= 5 else ""
