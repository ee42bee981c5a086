"""Looks for each audit line that carried a secret which is known to have leaked."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from evidence.sources.vault_audit_hunt import VaultAuditHunt
from playbooks.case.points import open_point
from playbooks.errors import SettingsError
from playbooks.wiring.settings import config_path, resolve

if TYPE_CHECKING:
    from playbooks.case.case import Case


async def hunt(case: "Case") -> None:
    """Search the copies of audit logs for every secret that the settings refer to as leaked.

    The secret goes to Vault alone, to be hashed. One that cannot be had is said, and no more.
    """
    known = case.parts.settings.vaults[case.place]
    # As everything in the settings, from where they are.
    logs = tuple(str(config_path().parent / path) for path in known.logs)
    for number, reference in enumerate(known.leaked):
        where = f"vaults.{case.place}.leaked.{number}"
        try:
            resolve(reference, where)
        except SettingsError as error:
            open_point(case, where, f"to do: the audit logs were not searched: {error}")
            continue
        source = VaultAuditHunt(case.place, logs, _of(reference, where))
        await case.keep(source, again=f"secret {number}")


def _of(reference: str, where: str) -> Callable[[], str]:
    return lambda: resolve(reference, where)
