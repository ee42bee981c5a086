"""Everything a case is built from, made once a process from the settings."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Engine

from actions.aws.clients import Aws
from actions.aws.instance import Instance
from actions.aws.principal import GLOBAL
from actions.vault.clients import Vault
from evidence.artifact_store import ArtifactStore
from evidence.tiles_publish import Place
from playbooks.errors import SettingsError
from playbooks.wiring import keyring
from playbooks.wiring.database import open_engine
from playbooks.wiring.key_clients import key_clients
from playbooks.wiring.keyring import Keyring
from playbooks.wiring.logins import Login, logins
from playbooks.wiring.metrics import Metrics
from playbooks.wiring.publishes import open_place
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Settings
from playbooks.wiring.stores import open_store
from playbooks.wiring.urgent import Urgent
from playbooks.wiring.vaults import Vaults


def _no_vaults(name: str) -> Any:
    raise SettingsError(f"no Vault can be reached from here, so not {name!r} either.")


def _nowhere() -> None:
    return None


def _no_logins(region: str) -> Mapping[str, Login]:
    return {}


@dataclass(frozen=True)
class Parts:
    """Clients, keys, database, clock and randomness. `pool` None runs calls inline."""

    settings: Settings
    engine: Engine
    keys: Keyring
    locker: ArtifactStore
    maker: Callable[[str, str], Callable[[str], Any]]
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    sleep: Callable[[float], Awaitable[None]]
    pool: Executor | None
    # Ids and ARNs of the role and host that Stanch itself runs as, as far as known by now.
    own: Callable[[], frozenset[str]] = frozenset
    # What this process counts; `stanch serve` shows it.
    metrics: Metrics = field(default_factory=Metrics)
    urgent: Urgent = field(default_factory=Urgent)
    # Returns an hvac client, logged in, by a Vault's name.
    vaults: Callable[[str], Any] = _no_vaults
    # Returns where the ledger is published, None where it is not.
    publishes: Callable[[], Place | None] = _nowhere
    # Returns, for a region, how new secrets are tried, by what they are.
    logins: Callable[[str], Mapping[str, Login]] = _no_logins

    def provider(self, target: str) -> Aws | Vault:
        """Return where a target place/region/id is acted on. Raise SettingsError if not ours."""
        place, region, _ = target.split("/", 2)
        return self.vault(place) if place in self.settings.vaults else self.aws(place, region)

    def aws(self, account: str, region: str) -> Aws:
        """Return the provider bound to one account and region. Raise SettingsError if not ours.

        What has no region, such as IAM (`aws-global`), is reached through the account's first.
        """
        region = self._home(account) if region == GLOBAL else region
        self._check(account, region)
        partition = Instance(account, region, "").partition
        clients = self.maker(account, region)
        return Aws(account, region, clients, partition, self.vault, self.logins(region))

    def vault(self, name: str) -> Vault:
        """Return the provider bound to one Vault. It logs in when it is first used."""
        return Vault(name, lambda: self.vaults(name))

    def source(self, place: str, region: str) -> "Reading | Vault":
        """Return what a source reads through: an account's clients, or a Vault."""
        return self.vault(place) if place in self.settings.vaults else self.reading(place, region)

    def reading(self, account: str, region: str) -> "Reading":
        """Return the clients that sources read through. Raise SettingsError if not ours."""
        region = self._home(account) if region == GLOBAL else region
        self._check(account, region)
        return Reading(self.maker, account, region)

    def _home(self, account: str) -> str:
        known = self.settings.accounts.get(account)
        return known.regions[0] if known and known.regions else "us-east-1"

    def _check(self, account: str, region: str) -> None:
        known = self.settings.accounts.get(account)
        if known is None:
            raise SettingsError(
                f"account {account} is not in the settings; nothing was touched there. "
                f'Add [accounts."{account}"] to stanch.toml if it is yours.'
            )
        if known.regions and region not in known.regions:
            raise SettingsError(
                f"region {region} is not among those of account {account} in stanch.toml; "
                "nothing was touched there. Add it if it is yours."
            )


@dataclass(frozen=True)
class Reading:
    """boto3 clients by service name, in one account; `reading.ec2`, `reading.iam`, ..."""

    maker: Callable[[str, str], Callable[[str], Any]]
    account: str
    region: str

    def __getattr__(self, service: str) -> Any:
        return self.maker(self.account, self.region)(service)

    @property
    def cloudtrails(self) -> dict[str, Any]:
        """Return CloudTrail clients by region: the home region, and where global events are."""
        regions = {self.region, "us-east-1"}
        return {r: self.maker(self.account, r)("cloudtrail") for r in regions}


def now() -> datetime:
    """Return the time, aware UTC."""
    return datetime.now(UTC)


def assemble(settings: Settings) -> Parts:
    """Return the parts for this process. Raise SettingsError before `stanch init` has run."""
    engine = open_engine(settings)
    sessions = Sessions(settings, now)
    return Parts(
        settings=settings,
        engine=engine,
        keys=keyring.load(
            settings.home / "keys", settings.origin, key_clients(settings, now), settings.signer
        ),
        locker=open_store(settings, sessions, now),
        maker=sessions.maker,
        now=now,
        random=os.urandom,
        sleep=asyncio.sleep,
        # asyncio's default pool has cpu+4 threads; twenty incidents at once would queue in it.
        pool=ThreadPoolExecutor(64, thread_name_prefix="stanch"),
        own=sessions.own,
        vaults=Vaults(settings, now).client,
        publishes=partial(open_place, settings, sessions),
        logins=partial(logins, settings),
    )
