"""The verbs on the race against IAM: latch a principal first, and prove that the deny binds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.aws.clients import Aws
from actions.aws.iam_target import find
from actions.aws.latch_principal import LatchPrincipal
from actions.aws.narrow_instance_sessions import cut_off
from actions.aws.principal import GLOBAL, Principal
from actions.aws.provider_time import answered_at
from actions.engine import calling
from actions.errors import ActionError
from playbooks.case import store
from playbooks.case.answers import Done, Failed
from playbooks.case.points import open_point
from playbooks.latch.borrowing import borrowing
from playbooks.latch.exposure import exposure
from playbooks.latch.probe import Proof, borrow, watch

if TYPE_CHECKING:
    from playbooks.case.case import Case

PROOF = "deny-proof"


async def latch(case: "Case", who: Principal) -> Done | Failed:
    """Name the principal, and the canary beside it, in the organisation's latch.

    Falsy where there is none that binds the account; then the incident says race-exposed.
    """
    part = case.parts.settings.latch
    why = exposure(part, who.account)
    if why or part is None or part.policy is None:
        open_point(case, "latch", why)
        return Failed("latch_principal", why)
    arn = await arn_of(case, who)
    canary = f"{arn.split(':iam::')[0]}:iam::{who.account}:role/{part.canary}"
    if not case.dry:
        await _borrow(case, who.account, part.canary)
    return await case.act(LatchPrincipal(part.admin, part.policy, (arn, canary), part.characters))


async def prove(case: "Case") -> Mapping[str, Any]:
    """Look on the canary whether the latch binds, once; return verdict, since, looks, places.

    The verdict is unknown where no canary was there before: an entry that died in between.
    """
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, PROOF))
    if known is not None or case.dry:
        return known or {"verdict": "unknown"}
    if case.canary is None:
        if case.journal.find_action("latch_principal"):
            open_point(case, "proof", "whether the deny binds was not seen on a canary")
        return {"verdict": "unknown"}
    canary, before = case.canary
    proof: Proof = await case.drive(watch(canary.look, before, case.parts.now()))

    def work(conn: Connection) -> None:
        store.keep_newest(conn, case.incident.id, PROOF, proof.json())
        kind = "deny.proven" if proof.verdict == "effective" else "deny.unproven"
        case.record.note(conn, case.incident.id, kind, proof.json())

    case.store.commit(work)
    if proof.verdict != "effective":
        open_point(
            case, "proof", f"whether the deny binds is {proof.verdict}: {dict(proof.places)}"
        )
    return proof.json()


async def issued_before(case: "Case", why: str = "") -> str:
    """Return AWS's own time plus a margin, RFC 3339 in UTC: the same on re-entry."""
    step = f"issued-before/{why}"
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if known is not None:
        return str(known["at"])
    aws = case.parts.aws(case.place, GLOBAL)
    at = cut_off(await case.call(lambda: calling(aws, lambda: _time(aws))))
    if not case.dry:
        case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, step, {"at": at}))
    return at


def _time(aws: Aws) -> Any:
    return answered_at("GetCallerIdentity", aws.sts.get_caller_identity())


async def arn_of(case: "Case", who: Principal) -> str:
    """Return the principal's ARN, path included: what aws:PrincipalArn holds."""
    step = f"arn/{who.key}"
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if known is not None:
        return str(known["arn"])
    aws = case.parts.aws(who.account, GLOBAL)
    arn = await case.call(lambda: calling(aws, lambda: find(aws, who).arn))
    if not case.dry:
        case.store.commit(
            lambda conn: store.keep_newest(conn, case.incident.id, step, {"arn": arn})
        )
    return arn


async def _borrow(case: "Case", account: str, role: str) -> None:
    """Get a session of the canary before it is denied; without one nothing is proven, or lost."""
    if case.canary is not None or case.journal.find_action("latch_principal"):
        return
    aws = case.parts.aws(account, GLOBAL)
    regions = case.parts.settings.accounts[account].regions or (aws.region,)
    made = borrowing(case.parts.settings)

    def look() -> Any:
        canary = borrow(aws, role, regions, made, case.parts.now)
        return canary, canary.look()

    try:
        case.canary = await case.call(lambda: calling(aws, look))
    except ActionError as error:
        open_point(case, "proof", f"whether the deny binds is not seen: no canary ({error})")
