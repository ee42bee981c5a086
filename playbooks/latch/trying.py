"""Tries the latch: latches each account's canary, sees its calls denied, and unlatches it.

It writes the one policy outside of any incident, for a principal that is made to be denied; what a
kill leaves behind is a latched canary, which the next check says.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from actions.action import Provider
from actions.aws.clients import Aws
from actions.aws.latch_principal import LatchPrincipal
from actions.engine import Steps, calling, patient
from actions.errors import ActionError
from playbooks.latch.organisation import Found
from playbooks.latch.probe import ALLOWED, Borrowed, Canary, Proof, Sighting, borrow, watch
from playbooks.wiring.latch_part import Latch

T = TypeVar("T")
Drive = Callable[[Steps[Any]], Any]


def canaries(
    part: Latch,
    providers: dict[str, Aws],
    regions: dict[str, tuple[str, ...]],
    borrowed: Borrowed,
    now: Callable[[], datetime],
) -> Iterator[Found | tuple[str, Canary, Sighting]]:
    """Say of each account's canary whether it can be assumed and its calls go through.

    Yields those that do, with what they met, so that the latch can be tried on them.
    """
    for account, p in sorted(providers.items()):
        about = f"canary {account}"
        try:
            bird = borrow(p, part.canary, regions[account], borrowed, now)
        except (ClientError, BotoCoreError) as error:
            yield Found(
                about,
                "bad",
                f"role {part.canary} cannot be assumed: {_short(error)}",
                "Make it as `stanch latch plan` prints, and let Stanch's role there assume it.",
            )
            continue
        seen = bird.look()
        trouble = {place: met for place, met in seen.places.items() if met != ALLOWED}
        if trouble:
            met = ", ".join(f"{place}: {what}" for place, what in trouble.items())
            yield Found(
                about,
                "bad",
                f"role {part.canary} does not get what its policy should allow ({met})",
                "If no incident holds it now, give it the policy that `stanch latch plan` prints, "
                "and take it out of the latch.",
            )
        else:
            yield Found(about, "ok", f"role {part.canary} is there and works")
            yield account, bird, seen


def tried(
    part: Latch,
    admin: Aws,
    birds: list[tuple[str, Canary, Sighting]],
    drive: Drive,
    limit: float = 60.0,
) -> Iterator[Found]:
    """Latch these canaries, watch each for `limit` s at most, and unlatch them, come what may.

    `admin` is the delegated administrator's account; `drive` runs the steps and waits.
    """
    if part.policy is None or not birds:
        return
    arns = {
        account: f"arn:{admin.partition}:iam::{account}:role/{part.canary}"
        for account, _, _ in birds
    }
    action = LatchPrincipal(part.admin, part.policy, tuple(arns.values()), part.characters)
    try:
        held = calling(admin, lambda: action.read(admin))
        left = [arn for arn in action.principals if held[arn]]
        if left:
            yield Found(
                "try",
                "bad",
                f"{', '.join(left)} is latched already, by an incident or a check that was killed",
                "If no incident holds it, take it out of the latch's list.",
            )
            return
        try:
            for arn in action.principals:
                drive(_written(action, admin, arn, True))
            for account, bird, before in birds:
                proof = drive(watch(bird.look, before, bird.now(), limit=limit))
                yield _judged(arns[account], proof)
        finally:
            for arn in action.principals:
                drive(_written(action, admin, arn, None))
    except ActionError as error:
        yield Found("try", "bad", str(error), "See what the lines on writers and policies say.")


def _judged(arn: str, proof: Proof) -> Found:
    about = f"try {arn.split(':')[4]}"
    if proof.took is not None:
        seconds = proof.took.total_seconds()
        return Found(about, "ok", f"{arn} was denied everywhere, {seconds:.1f} s after latching")
    met = ", ".join(f"{place}: {what}" for place, what in sorted(proof.places.items()))
    return Found(
        about,
        "bad",
        f"{arn} was latched and is {proof.verdict} denied after {proof.looks} looks ({met})",
        "The latch does not bind this account: see whether it is attached, and enabled.",
    )


def _written(action: LatchPrincipal, p: Provider, arn: str, value: Any) -> Steps[None]:
    # Writing it twice is the same as once, so a failure that passes is waited out like a read's.
    return patient(action, lambda: calling(p, lambda: action.write(p, arn, value)))  # type: ignore[arg-type]


def _short(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"]["Code"])
    return type(error).__name__
