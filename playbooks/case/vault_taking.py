"""What is taken from a login to a Vault, or from all, and made anew: the acts, in their order."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action, name_of
from actions.vault.destroy_secret_ids import DestroySecretIds
from actions.vault.issue_secret_id import IssueSecretId
from actions.vault.revoke_leases import RevokeLeases
from actions.vault.revoke_tokens import RevokeTokens
from actions.vault.rotate_aws_root import RotateAwsRoot
from actions.vault.rotate_database_root import RotateDatabaseRoot
from actions.vault.rotate_role_id import RotateRoleId
from actions.vault.rotate_static_role import RotateStaticRole
from actions.vault.rotate_transit_key import RotateTransitKey
from playbooks.case import store
from playbooks.case.points import open_point, shut_point
from playbooks.case.residual_vault import ASKED, DENIAL, LOGINS, MUST, STS
from playbooks.case.vault_engines import Thing
from playbooks.case.vault_login import Login, auth_mounts
from playbooks.case.vault_sts import denials, ours

if TYPE_CHECKING:
    from playbooks.case.case import Case

Acts = list[Action[Any]]


async def everything(case: "Case", login: Login | None, reach: Sequence[Thing]) -> Acts:
    """Return all of it: what is taken in the Vault, denied in AWS, and made anew, in this order."""
    mounts = await auth_mounts(case) if login is None else ()
    taken, roles = taking(case.place, login, reach, mounts), ours(case, reach)
    if not any(isinstance(one, RevokeLeases) for one in taken):
        needless(case, "revoke_leases", "no engine in reach leases anything")
    if not any(t.kind == "sts" for t in reach):
        needless(case, "deny_role_sessions", "no AWS session was in reach")
    deliver = case.parts.settings.vaults[case.place].deliver
    denied = await denials(case, roles)
    return [*taken, *denied, *renewing(case.place, login, reach, deliver)]


def taking(vault: str, login: Login | None, reach: Sequence[Thing], mounts: Sequence[str]) -> Acts:
    """Return what takes tokens, secret ids and leases away: of one login, or of these mounts. Pure.

    Secret ids before tokens, or new tokens come of them meanwhile; leases after tokens, for a
    token that lives can ask for another.
    """
    found: Acts = []
    if login is not None:
        if login.kind == "approle":
            found.append(DestroySecretIds(vault, login.mount, login.name))
        found.append(RevokeTokens(vault, (), login.mount, login.name, login.entity))
    else:
        found += [RevokeTokens(vault, mount=mount) for mount in mounts]
    prefixes = dict.fromkeys(f"{t.mount}/{t.name}" for t in reach if t.kind == "lease")
    return [*found, *(RevokeLeases(vault, prefix) for prefix in prefixes)]


def renewing(
    vault: str, login: Login | None, reach: Sequence[Thing], deliver: Mapping[str, str]
) -> Acts:
    """Return what is made anew: passwords, keys, the role's id, and its secret id last. Pure."""
    made: Acts = [_renewed(vault, t) for t in reach if t.kind in RENEWED]
    if login is None or login.kind != "approle":
        return made
    made.append(RotateRoleId(vault, login.mount, login.name))
    if where := deliver.get(f"{login.mount}/{login.name}"):
        mount, _, path = where.partition("/")
        made.append(IssueSecretId(vault, login.mount, login.name, mount, path))
    return made


RENEWED = ("static", "connection", "aws_root", "transit")


def _renewed(vault: str, one: Thing) -> Action[Any]:
    if one.kind == "static":
        return RotateStaticRole(vault, one.mount, one.name, one.about)
    if one.kind == "connection":
        return RotateDatabaseRoot(vault, one.mount, one.name)
    if one.kind == "aws_root":
        return RotateAwsRoot(vault, one.mount, one.about)
    return RotateTransitKey(vault, one.mount, one.name, int(one.about))


def pending(case: "Case", acts: Acts) -> None:
    """Say what still works until a person said yes: it is off the list once it was taken."""
    kinds = {name_of(one) for one in acts}
    for names, text in (*MUST[1:], (DENIAL, STS)):
        if names[0] in kinds:
            open_point(case, f"{names[0]}{ASKED}", f"{text}: it waits for a yes")


def no_longer(case: "Case") -> None:
    """Take off the list what waited: what it came to stands in the steps."""
    for names, _ in (*MUST[1:], (DENIAL, STS)):
        shut_point(case, f"{names[0]}{ASKED}")


def needless(case: "Case", name: str, why: str) -> None:
    """Record that a kind of act has nothing to do here, so that it is not held to be missing."""
    step, left = f"{name}/{case.place}/vault/none", {"kind": "needless", "error": why}
    if case.dry or step in case.store.read(lambda conn: store.left(conn, case.incident.id)):
        return

    def work(conn: Connection) -> None:
        store.leave(conn, case.incident.id, step, left)
        case.record.note(conn, case.incident.id, "point.needless", {"point": step} | left)

    case.store.commit(work)


def remaining(case: "Case", login: Login | None, reach: Sequence[Thing]) -> None:
    """Put on the list what no act can do: secrets of others, certificates, the new halves."""
    if login is None:
        text = (
            "whoever holds a login of it can log in again: those that leaked are each an incident, "
            f"stanch open --play compromised-vault --target {case.place}/MOUNT/NAME"
        )
        open_point(case, LOGINS, text)
    deliver = case.parts.settings.vaults[case.place].deliver
    for one in reach:
        if one.kind == "kv" and f"{one.mount}/{one.name}" not in deliver.values():
            text = (
                f"to do: {one.mount}/{one.name} could be read; rotate what it holds where that is "
                "from: stanch open --play rotate-credentials --target "
                f"{case.place} once it is named in [rotation.credentials]"
            )
            open_point(case, f"kv/{one.mount}/{one.name}", text)
        if one.kind == "pki":
            text = (
                f"to do: certificates could be issued by {one.mount}/roles/{one.name}: compare "
                "`vault list` of its certs with the audit log, and revoke what nobody knows of"
            )
            open_point(case, f"pki/{one.mount}/{one.name}", text)


def new_halves(case: "Case", login: Login | None) -> None:
    """Put on the list what the login's application needs to come back, and nobody can bring it."""
    if login is None or login.kind != "approle":
        return
    role = f"{login.mount}/{login.name}"
    text = f"to do: give whoever logs in as {role} its new role id, which Vault tells"
    open_point(case, "role-id", text)
    if role not in case.parts.settings.vaults[case.place].deliver:
        text = f"to do: issue a secret id for {role}: no [vaults.{case.place}.deliver] says where"
        open_point(case, "secret-id", text)
