"""Which checks there are for a deployment, in the order in which they are told."""

from collections.abc import Callable, Iterable
from functools import partial

from playbooks.desk.doctor import (
    accounts,
    backlog,
    channels,
    contracts,
    database,
    deployment,
    key_history,
    key_service,
    permissions,
    prefect_state,
    published,
    spool_state,
    storing,
    timestamps,
    vaults,
    witnesses,
)
from playbooks.desk.doctor.finding import Check, Finding
from playbooks.desk.doctor.place import Place

WHEREVER: dict[str, Callable[[Place], Iterable[Finding]]] = {
    "settings": deployment.settings,
    "keys": deployment.keys,
    "log key": partial(key_service.key, use="log"),
    "manifest key": partial(key_service.key, use="manifest"),
    "wrap key": partial(key_service.key, use="wrap"),
    "people": deployment.who_answers,
    "database": database.database,
    "disk": database.room,
    "checkpoint": database.signed,
    "ledger": database.replayed,
    "signer": witnesses.signer,
    "key history": key_history.key_history,
    "witnesses": witnesses.policy,
    "published": published.published,
    "store": storing.storing,
    "backlog": backlog.backlog,
    "channels": channels.heard,
    "rejected": channels.rejected,
    "spool": spool_state.spool,
    "prefect": prefect_state.library,
    "prefect server": prefect_state.server,
    "clock of the database": accounts.database_clock,
    "latch": vaults.latch,
    "contract only": contracts.contract_only,
}


def checks(place: Place) -> dict[str, Check]:
    """Return name -> check; one for each source, queue, account and region, too."""
    settings = place.settings
    found: dict[str, Check] = {name: partial(check, place) for name, check in WHEREVER.items()}
    for name in settings.sources:
        found[f"source {name}"] = partial(channels.sender, place, name)
    for name in settings.queues:
        found[f"queue {name}"] = partial(channels.queue, place, name)
    for name in settings.witnesses:
        found[f"witness {name}"] = partial(witnesses.witness, place, name)
    for name in settings.timestamps:
        found[f"timestamps {name}"] = partial(timestamps.timestamps, place, name)
    for name in settings.vaults:
        found[f"vault {name}"] = partial(vaults.vault, place, name)
    for id, known in settings.accounts.items():
        for region in known.regions or ("us-east-1",):
            found[f"{id}/{region}"] = partial(accounts.account, place, id, region)
            found[f"permissions {id}/{region}"] = partial(
                permissions.permissions, place, id, region
            )
    return found
