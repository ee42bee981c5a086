"""Proves, before many are sent to log in again, that they can: by one login, Stanch's own."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from actions.engine import calling
from actions.errors import ProviderError
from actions.vault.clients import Vault
from playbooks.case import store
from playbooks.errors import StoppedError
from playbooks.wiring.settings import resolve
from playbooks.wiring.vault_terms import VaultLogin

if TYPE_CHECKING:
    from playbooks.case.case import Case

KEPT = "vault-relogin"


async def prove_login(case: "Case") -> None:
    """Log in to the Vault anew, once for an incident, and end that token.

    Raises StoppedError where it fails or cannot be tried: then nothing is revoked.
    """
    if case.dry or case.store.read(lambda conn: store.kept(conn, case.incident.id, KEPT)):
        return
    known, vault = case.parts.settings.vaults[case.place], case.parts.vault(case.place)
    if known.token is not None:
        raise StoppedError(
            f"Stanch is in Vault {case.place} by a token, so whether anybody can log in is not "
            "proven, and nothing was revoked. Give it role_id and secret_id of an AppRole mount "
            f"of its own in [vaults.{case.place}], then: stanch resume {case.incident.id}"
        )
    try:
        await case.call(lambda: calling(vault, lambda: _log_in(vault, known)))
    except ProviderError as error:
        raise StoppedError(
            f"logging in to Vault {case.place} fails ({error.operation} {error.code}), so nothing "
            "was revoked: whoever lost a token could not come back. Bring logins back, then: "
            f"stanch resume {case.incident.id}"
        ) from error

    def work(conn: Connection) -> None:
        store.keep_newest(conn, case.incident.id, KEPT, {"mount": known.mount})
        body = {"vault": case.place, "mount": known.mount}
        case.record.note(conn, case.incident.id, "relogin.proven", body)

    case.store.commit(work)


def _log_in(p: Vault, known: VaultLogin) -> None:
    where = f"vaults.{p.name}"
    made = p.client.auth.approle.login(
        resolve(known.role_id or "", f"{where}.role_id"),
        resolve(known.secret_id or "", f"{where}.secret_id"),
        use_token=False,  # What it gives is for nobody: Stanch goes on with the token that it has.
        mount_point=known.mount,
    )
    p.client.auth.token.revoke_accessor(made["auth"]["accessor"])
