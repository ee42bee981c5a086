"""Shuts what came into being in IAM since the first sign, before CloudTrail can say whose it is."""

from typing import TYPE_CHECKING, Any

from actions.action import Action
from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.principal import Principal
from evidence.sources.following import Finding
from evidence.sources.newcomers import Newcomers
from playbooks.case.asking import ask_all

if TYPE_CHECKING:
    from playbooks.case.case import Case

# What Stanch makes in IAM begins so, and nobody else may make such a name under the shield.
OURS = "stanch-"


async def shut_newcomers(case: "Case", who: Principal) -> None:
    """Deny users and roles that are new since the first sign, and turn new keys off.

    At once where an alert says when that was: within those minutes hardly anybody else made one,
    and what was wrong is undone by a step. Where nobody knows it, a person is asked, who sees the
    names. CloudTrail then says what of it was the attacker's (`sweeping`).
    """
    source = Newcomers(
        (who.name,) if who.kind == "user" else (), case.since, who.account, case.region
    )
    kept = await case.keep(source)
    found = [one for one in (Finding(**told) for told in kept.found) if _strange(one, who)]
    acts = [act for one in found for act in _acts(case.place, one)]
    if not acts:
        return
    approval = None
    if not case.sign_known:
        approval = await ask_all(case, "newcomers", acts)
        if not approval:
            return
    await case.together(*(case.act(act, approval, again=again_of(act)) for act in acts))


def again_of(act: Action[Any]) -> str:
    """Return why an act is meant besides its like: one for a single key has a step of its own."""
    return act.ids[0] if isinstance(act, DeactivateAccessKeys) and act.ids else ""


def _strange(one: Finding, who: Principal) -> bool:
    """Return whether it is neither Stanch's own nor the principal's, which is shut already."""
    own = one.kind in (who.kind, "access_key") and one.name == who.name
    return not own and not one.name.startswith(OURS)


def _acts(account: str, one: Finding) -> list[Action[Any]]:
    if one.kind == "role":
        return [DenyPrincipal(Principal(account, "role", one.name))]
    user = Principal(account, "user", one.name)
    if one.kind == "user":
        return [DenyPrincipal(user), DeactivateAccessKeys(user)]
    return [DeactivateAccessKeys(user, (one.id,))] if one.kind == "access_key" else []
