"""What is taken from a login to a Vault, or from all, and made anew: the acts, in their order."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from actions.action import Action
from actions.vault.destroy_secret_ids import DestroySecretIds
from actions.vault.force_revoke_leases import ForceRevokeLeases
from actions.vault.issue_secret_id import IssueSecretId
from actions.vault.raise_min_decryption import RaiseMinDecryption
from actions.vault.revoke_leases import RevokeLeases
from actions.vault.revoke_tokens import RevokeTokens
from actions.vault.rotate_aws_root import RotateAwsRoot
from actions.vault.rotate_database_root import RotateDatabaseRoot
from actions.vault.rotate_role_id import RotateRoleId
from actions.vault.rotate_static_role import RotateStaticRole
from actions.vault.rotate_transit_key import RotateTransitKey
from playbooks.case import asking, store
from playbooks.case.answers import Done
from playbooks.case.points import open_point
from playbooks.case.vault_engines import Thing
from playbooks.case.vault_login import Login
from playbooks.wiring.settings import VaultLogin

if TYPE_CHECKING:
    from playbooks.case.case import Case

Acts = list[Action[Any]]


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


def needless(case: "Case", name: str, why: str) -> None:
    """Record that a kind of act has nothing to do here, so that it is not held to be missing."""
    step, left = f"{name}/{case.place}/vault/none", {"kind": "needless", "error": why}
    if case.dry or step in case.store.read(lambda conn: store.left(conn, case.incident.id)):
        return

    def work(conn: Connection) -> None:
        store.leave(conn, case.incident.id, step, left)
        case.record.note(conn, case.incident.id, "point.needless", {"point": step} | left)

    case.store.commit(work)


def remaining(
    case: "Case", login: Login | None, reach: Sequence[Thing], known: VaultLogin | None
) -> None:
    """Put on the list what no act can do: secrets of others, certificates, the new halves."""
    for one in reach:
        if one.kind == "kv":
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
    if login is not None and login.kind == "approle":
        role = f"{login.mount}/{login.name}"
        text = f"to do: give whoever logs in as {role} its new role id, which Vault tells"
        open_point(case, "role-id", text)
        if known is None or role not in known.deliver:
            text = (
                f"to do: issue a secret id for {role}: no [vaults.{case.place}.deliver] says where"
            )
            open_point(case, "secret-id", text)


async def abandon(case: "Case", taken: Sequence[Any]) -> None:
    """Offer to let go of leases that Vault could not revoke, where any are left."""
    stuck = [
        t.step.partition("/vault/leases/")[2]
        for t in taken
        if isinstance(t, Done) and t.step.startswith("revoke_leases/") and t.result["irrevocable"]
    ]
    acts = [ForceRevokeLeases(case.place, prefix) for prefix in stuck]
    if acts and (yes := await asking.ask_all(case, "abandon", acts)):
        for one in acts:
            await case.act(one, yes)


async def refuse_old(case: "Case", reach: Sequence[Thing]) -> None:
    """Offer to refuse what was encrypted under the versions that were in reach."""
    acts = [
        RaiseMinDecryption(case.place, t.mount, t.name, int(t.about) + 1)
        for t in reach
        if t.kind == "transit"
    ]
    if acts and (yes := await asking.ask_all(case, "refuse-old", acts)):
        for one in acts:
            await case.act(one, yes)
