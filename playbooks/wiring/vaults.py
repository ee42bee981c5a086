"""Logs in to a Vault, anew when the token is near its end; the client's changes pass the gate."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import hvac
import requests
from hvac.exceptions import VaultError
from requests.adapters import HTTPAdapter

from playbooks.errors import SettingsError
from playbooks.wiring.gated import GatedAdapter
from playbooks.wiring.settings import Settings, resolve
from playbooks.wiring.vault_terms import VaultLogin

# Seconds for one request: revoking with `sync` waits for the other side.
TIMEOUT = 60
# A token is taken anew so long before it ends.
EARLY = timedelta(minutes=2)


class Vaults:
    """Makes hvac clients for the Vaults in the settings; one login a Vault."""

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], datetime],
        timeout: float = TIMEOUT,
        adapter: Callable[..., HTTPAdapter] = GatedAdapter,
    ) -> None:
        self._settings = settings
        self._timeout = timeout
        self._adapter = adapter
        self._now = now
        self._clients: dict[str, tuple[Any, datetime | None]] = {}
        self._lock = threading.Lock()

    def client(self, name: str) -> Any:
        """Return a client that is logged in. Raise SettingsError where that cannot be."""
        known = self._settings.vaults.get(name)
        if known is None:
            raise SettingsError(
                f"there is no Vault {name!r} in the settings; nothing was touched there. "
                f"Add [vaults.{name}] to stanch.toml if it is yours."
            )
        with self._lock:
            client, ends = self._clients.get(name, (None, None))
            if client is None or (ends is not None and self._now() >= ends - EARLY):
                self._clients[name] = client, _ = self._login(name, known)
            return client

    def _login(self, name: str, known: VaultLogin) -> tuple[Any, datetime | None]:
        session = requests.Session()
        session.trust_env = False  # No proxy or netrc decides where a token goes.
        for scheme in ("https://", "http://"):
            session.mount(scheme, self._adapter(pool_maxsize=64))
        client = hvac.Client(
            url=known.url,
            timeout=self._timeout,
            verify=str(known.ca) if known.ca else True,
            session=session,
        )
        where = f"vaults.{name}"
        if known.token is not None:
            client.token = resolve(known.token, f"{where}.token")
            return client, None
        role = resolve(known.role_id or "", f"{where}.role_id")
        secret = resolve(known.secret_id or "", f"{where}.secret_id")
        try:
            told = client.auth.approle.login(role, secret, mount_point=known.mount)["auth"]
        except (VaultError, requests.RequestException) as error:
            # The text of either may name what was sent.
            raise SettingsError(
                f"cannot log in to Vault {name}: {type(error).__name__}. Check its url, the mount "
                f"{known.mount!r}, and the role and secret id that the settings refer to."
            ) from None
        lasts = int(told.get("lease_duration") or 0)
        return client, self._now() + timedelta(seconds=lasts) if lasts else None
