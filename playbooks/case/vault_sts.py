"""Sessions that a Vault's AWS engine opened: Vault cannot end them, so AWS denies them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from actions.aws.deny_role_sessions import DenyRoleSessions
from actions.aws.narrow_instance_sessions import cut_off
from actions.aws.principal import GLOBAL, Principal
from actions.aws.provider_time import answered_at
from actions.engine import calling
from playbooks.case import store
from playbooks.case.points import open_point
from playbooks.case.vault_engines import Thing
from playbooks.case.vault_login import Login

if TYPE_CHECKING:
    from playbooks.case.case import Case


def ours(case: "Case", reach: Sequence[Thing]) -> tuple[Principal, ...]:
    """Return the roles whose sessions can be denied; of an account that is not ours say so."""
    found = dict.fromkeys(_principal(t.about) for t in reach if t.kind == "sts")
    for who in found:
        if who.account not in case.parts.settings.accounts:
            text = (
                f"to do: deny the sessions of role {who.name} of account {who.account} that were "
                "issued until now: that account is not in the settings"
            )
            open_point(case, f"sts/{who.key}", text)
    return tuple(who for who in found if who.account in case.parts.settings.accounts)


async def denials(case: "Case", roles: Sequence[Principal]) -> list[DenyRoleSessions]:
    """Return what denies the sessions issued until now, by each account's own time."""
    return [DenyRoleSessions(who, await _until(case, who.account)) for who in roles]


async def deny_again(case: "Case", login: Login | None, reach: Sequence[Thing]) -> None:
    """Deny what was issued between the question and its answer too, where that could be.

    A login whose identity was disabled at once could not; any other went on until its tokens ended.
    """
    if login is not None and login.entity:
        return
    for who in ours(case, reach):
        later = DenyRoleSessions(who, await _until(case, who.account, "again"))
        await case.act(later, again="sessions issued meanwhile")


async def _until(case: "Case", account: str, why: str = "") -> str:
    """Return AWS's own time plus a margin, RFC 3339 in UTC: the same on re-entry."""
    step = f"vault-sts/{account}/{why}"
    known = case.store.read(lambda conn: store.kept(conn, case.incident.id, step))
    if known is not None:
        return str(known["at"])
    aws = case.parts.aws(account, GLOBAL)

    def asked() -> str:
        answer = calling(aws, aws.sts.get_caller_identity)
        return cut_off(answered_at("GetCallerIdentity", answer))

    at = await case.call(asked)
    if not case.dry:
        case.store.commit(lambda conn: store.keep_newest(conn, case.incident.id, step, {"at": at}))
    return at


def _principal(arn: str) -> Principal:
    """Return the role of an ARN; its path is no part of its name."""
    return Principal(arn.split(":")[4], "role", arn.rpartition("/")[2])
