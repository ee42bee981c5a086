"""Clients for keys that live in a service: no gate stops them, and they do not wait long.

A freeze is about changing the world; signing and wrapping go on in it. Who keeps evidence waits for
each signature, so these clients give up early, and what was not signed is signed later.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.config import Config
from requests.adapters import HTTPAdapter

from evidence.errors import KeyServiceError
from evidence.signing.place import Clients
from playbooks.errors import SettingsError
from playbooks.wiring.sessions import Sessions
from playbooks.wiring.settings import Settings
from playbooks.wiring.vaults import Vaults

# Seconds for one request to a Vault.
TIMEOUT = 10
# A second signature over the same bytes harms nobody, so a client may try again by itself.
HASTY = Config(
    connect_timeout=3, read_timeout=7, retries={"mode": "standard", "total_max_attempts": 2}
)


def key_clients(settings: Settings, now: Callable[[], datetime]) -> Clients:
    """Return how keys are reached; nothing is asked, and nobody logs in, before one is used."""
    vaults = Vaults(settings, now, TIMEOUT, HTTPAdapter)
    sessions = Sessions(settings, now)
    return Clients(
        lambda name: _ours(lambda: vaults.client(name)),
        lambda account, region: _ours(lambda: sessions.signing(account, region, HASTY)),
    )


def _ours(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except SettingsError as error:
        # For who keeps evidence this is a key that cannot be had, and holds no containment up.
        raise KeyServiceError(str(error)) from None
