"""The orders of steps that are compared: two that people use, and Stanch's latched or not."""

import json
from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError

from actions.aws.deactivate_access_keys import DeactivateAccessKeys
from actions.aws.deny_principal import DenyPrincipal
from actions.aws.latch_principal import LatchPrincipal
from actions.aws.principal import Principal
from bench.rig.hunted import HORIZON, QUIET, REGION, Hunt, build
from playbooks.drills.range.estate_identity import CANARY
from playbooks.latch.probe import borrow, watch

DENY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
)
DENY_ALL = "arn:aws:iam::aws:policy/AWSDenyAll"
# Seconds between two looks at what the attacker made or took off, while it is lively and later.
AGAIN, CALM_AGAIN, CALM = 0.5, 5.0, 20.0
# Every so many looks the keys are turned off again.
KEYS_EVERY = 4


def naive(hunt: Hunt) -> None:
    """Turn the keys off, then deny, once."""
    _keys_off(hunt)
    hunt.p.iam.put_user_policy(
        UserName=hunt.estate.target, PolicyName="deny-all", PolicyDocument=DENY
    )


def runbook(hunt: Hunt) -> None:
    """As AWS's own runbook AWSSupport-ContainIAMPrincipal goes about it, once.

    AWS Systems Manager Automation runbook reference: keys off, console access removed, a policy
    that denies everything attached.
    """
    _keys_off(hunt)
    try:
        hunt.p.iam.delete_login_profile(UserName=hunt.estate.target)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    hunt.p.iam.attach_user_policy(UserName=hunt.estate.target, PolicyArn=DENY_ALL)


def ours(hunt: Hunt) -> None:
    """Deny, turn keys off, look for what was made, and the same for that, until it is quiet."""
    _until_quiet(hunt, lambda fresh: None)


def ours_with_latch(hunt: Hunt) -> None:
    """Name all that is known in the latch first, in one write; deny it and turn its keys off; see
    the latch on the canary; then as without."""
    assert hunt.pursuit is not None
    canary = borrow(hunt.p, CANARY, (REGION,), hunt.borrowed, hunt.world.now)
    before = canary.look()
    known = [one.who for one in hunt.seen()]
    asked = hunt.world.now()
    _latch(hunt, known)
    for who in known:
        _cut_off(hunt, who)
    for wait in watch(canary.look, before, asked):
        hunt.pursuit.passes(wait)
    _until_quiet(hunt, lambda fresh: _latch(hunt, fresh), known)


def _keys_off(hunt: Hunt) -> None:
    user = hunt.estate.target
    for key in hunt.p.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
        hunt.p.iam.update_access_key(
            UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive"
        )


def _until_quiet(
    hunt: Hunt, first: Callable[[list[Principal]], None], known: Iterable[Principal] = ()
) -> None:
    """Cut off what is new, hang up again what was taken off, turn off keys that are on again."""
    assert hunt.pursuit is not None
    pursuit, done, rounds = hunt.pursuit, {*known}, 0
    end = pursuit.seconds() + HORIZON
    while pursuit.last_success() < end and pursuit.seconds() - pursuit.last_success() < QUIET:
        seen = hunt.seen()
        fresh = [one.who for one in seen if one.who not in done]
        if fresh:
            first(fresh)
        for one in seen:
            if one.who in fresh:
                _cut_off(hunt, one.who)
            elif not one.denied:
                DenyPrincipal(one.who).write(hunt.p, f"attached/{one.unique_id}", True)
            if one.who.kind == "user" and rounds % KEYS_EVERY == KEYS_EVERY - 1:
                hunt.do(DeactivateAccessKeys(one.who))
        done |= {*fresh}
        rounds += 1
        calm = pursuit.seconds() - pursuit.last_success() > CALM
        pursuit.passes(CALM_AGAIN if calm else AGAIN)


def _cut_off(hunt: Hunt, who: Principal) -> None:
    hunt.do(DenyPrincipal(who))
    if who.kind == "user":
        hunt.do(DeactivateAccessKeys(who))


def _latch(hunt: Hunt, whom: Iterable[Principal]) -> None:
    arns = (*hunt.arns(whom), hunt.estate.canary_arn)
    action = LatchPrincipal(hunt.admin.account, hunt.latch_id, arns)
    hunt.do(action, hunt.admin)


Order = Callable[[Hunt], None]
# Each with the world that it needs.
ORDERS: dict[str, tuple[Order, Callable[[], Hunt]]] = {
    "naive": (naive, lambda: build(latched=False)),
    "runbook": (runbook, lambda: build(latched=False)),
    "ours": (ours, lambda: build(latched=False)),
    "ours_with_latch": (ours_with_latch, lambda: build(latched=True)),
    "ours_with_latch_no_federation": (
        ours_with_latch,
        lambda: build(latched=True, federation=False),
    ),
}
