"""Keeps a Vault's audit log of the incident's time, and looks in it for what has leaked."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from evidence.sources.not_set_up import NotSetUp
from evidence.sources.s3_versions import S3Versions
from evidence.sources.vault_ask import VAULT
from evidence.sources.vault_audit_hunt import VaultAuditHunt
from evidence.sources.vault_audit_log import VaultAuditLog
from playbooks.case.points import open_point
from playbooks.case.vault_login import login
from playbooks.errors import SettingsError
from playbooks.wiring.settings import config_path, resolve

if TYPE_CHECKING:
    from playbooks.case.case import Case


# What goes on after opening is looked at once more, when all of it is surely written.
ON = timedelta(hours=1)


async def audit_log(case: "Case", *, again: str = "") -> None:
    """Keep the lines of the incident's time, and which of them name the login's identity."""
    logs, start, end = _logs(case), case.window[0], case.incident.opened + ON
    await _export(case, start, end, again)
    if not logs and case.parts.settings.vaults[case.place].export is None:
        why = (
            f"no audit log of Vault {case.place} is in the settings, so none was kept. Name copies "
            f"of its devices' files, or their folder: logs in [vaults.{case.place}]."
        )
        await case.keep(NotSetUp(VaultAuditLog.name, why, case.place, VAULT))
    if not logs:
        return
    who = await login(case)
    marks = (who.entity,) if who is not None and who.entity else ()
    start, end = case.window[0], case.incident.opened + ON
    await case.keep(VaultAuditLog(case.place, logs, start, end, marks), again=again)


async def audit_log_later(case: "Case") -> None:
    """Keep the same again once the time is over, where there are logs."""
    there = _logs(case) or case.parts.settings.vaults[case.place].export
    if there and case.due(ON, "the audit log goes on"):
        await audit_log(case, again="the audit log goes on")


async def _export(case: "Case", start: datetime, end: datetime, again: str) -> None:
    """Keep what lies in S3 under the prefixes of the hours, or days, of the incident's time."""
    known = case.parts.settings.vaults[case.place]
    if known.export is None or known.export_account is None:
        return
    account = known.export_account
    bucket, _, form = known.export.removeprefix("s3://").partition("/")
    terms = case.parts.settings.accounts.get(account)
    region = terms.regions[0] if terms and terms.regions else "us-east-1"
    for prefix in dict.fromkeys(one.strftime(form) for one in _hours(start, end)):
        source = S3Versions(bucket, prefix, account, account, region)
        await case.keep(source, again=f"{prefix} {again}".strip())


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    at = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while at <= end:
        yield at
        at += timedelta(hours=1)


def _logs(case: "Case") -> tuple[str, ...]:
    # As everything in the settings, from where they are.
    known = case.parts.settings.vaults[case.place]
    return tuple(str(config_path().parent / path) for path in known.logs)


async def hunt(case: "Case") -> None:
    """Search the copies of audit logs for every secret that the settings refer to as leaked.

    The secret goes to Vault alone, to be hashed. One that cannot be had is said, and no more.
    """
    known = case.parts.settings.vaults[case.place]
    logs = _logs(case)
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
