"""One Vault under contract test, spoken to in raw HTTP: the simulator, or a real server."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from playbooks.drills.range.vault.world import URL, VaultWorld

HOW = (
    "no real Vault was asked: start one with `vault server -dev` or `bao server -dev`, export "
    "VAULT_ADDR and VAULT_TOKEN (its root token), and run `make contract-vault`"
)


def real_is_set() -> bool:
    """Whether the environment names a real server."""
    return bool(os.environ.get("VAULT_ADDR") and os.environ.get("VAULT_TOKEN"))


@dataclass
class Server:
    """Where requests go. `world` is set for the simulator only."""

    url: str
    root: str = field(repr=False)
    session: requests.Session
    world: VaultWorld | None = None
    left: list[Callable[[], object]] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def ask(self, method: str, path: str, body=None, *, token=None, **how) -> requests.Response:
        """Send one request below /v1/, as root unless told otherwise ("" sends no token)."""
        headers = dict(how.pop("headers", {}))
        used = self.root if token is None else token
        if used:
            headers["X-Vault-Token"] = used
        self.asked.add((method, path.partition("?")[0]))
        url = f"{self.url}/v1/{path}"
        answer = self.session.request(method, url, json=body, headers=headers, timeout=30, **how)
        self._mark_entity(answer)
        return answer

    def _mark_entity(self, answer: requests.Response) -> None:
        """Have the entity removed that a first login makes."""
        if answer.headers.get("Content-Type") == "application/json" and answer.content:
            entity = (answer.json().get("auth") or {}).get("entity_id")
            if entity:
                self.later("DELETE", f"identity/entity/id/{entity}")

    def did(self, method: str, path: str, body=None, *, token=None, **how) -> dict:
        """Send one request that is to succeed; its JSON, or {} for 204."""
        answer = self.ask(method, path, body, token=token, **how)
        assert answer.status_code in (200, 202, 204), (method, path, answer.status_code)
        return answer.json() if answer.content else {}

    def status(self, method: str, path: str, body=None, *, token=None, **how) -> int:
        """Send one request; its status."""
        return self.ask(method, path, body, token=token, **how).status_code

    def name(self, stem: str) -> str:
        """A name that nothing else here has."""
        return f"contract-{stem}-{secrets.token_hex(4)}"

    def later(self, method: str, path: str) -> None:
        """Remove something when the test is over."""
        self.left.append(lambda: self.ask(method, path))

    def clear(self) -> None:
        """Remove what the test made, newest first."""
        while self.left:
            self.left.pop()()

    def mount(self, kind: str, **more) -> str:
        """A secrets engine under a name of its own; its path."""
        path = self.name(kind)
        self.did("POST", f"sys/mounts/{path}", {"type": kind, **more})
        self.later("DELETE", f"sys/mounts/{path}")
        for _ in range(50):  # A real server upgrades a new KV mount for a moment.
            if kind != "kv" or self.status("GET", f"{path}/config") == 200:
                break
            self.pause(0.1)
        return path

    def auth(self, kind: str) -> str:
        """An auth method under a name of its own; its path below auth/."""
        path = self.name(kind)
        self.did("POST", f"sys/auth/{path}", {"type": kind})
        self.later("DELETE", f"sys/auth/{path}")
        return path

    def policy(self, text: str) -> str:
        """A policy under a name of its own."""
        name = self.name("policy")
        self.did("POST", f"sys/policies/acl/{name}", {"policy": text})
        self.later("DELETE", f"sys/policies/acl/{name}")
        return name

    def token(self, **params) -> dict:
        """A new token of root's: the `auth` object."""
        auth = self.did("POST", "auth/token/create", params)["auth"]
        if auth["accessor"]:
            accessor = {"accessor": auth["accessor"]}
            self.left.append(lambda: self.ask("POST", "auth/token/revoke-accessor", accessor))
        return auth

    def pause(self, seconds: float) -> None:
        """Let time pass: the simulator's own, or a real server's."""
        if self.world is not None:
            self.world.tick(seconds)
        else:
            time.sleep(seconds)


def simulator() -> Server:
    """A fresh simulator, whose clock stands still unless it is told to move."""
    world = VaultWorld(seed=3, clock=lambda: 1_760_000_000.0)
    return Server(URL, world.root_token, world.session(), world)


def real() -> Server:
    """The server that the environment names."""
    address = os.environ["VAULT_ADDR"].rstrip("/")
    session = requests.Session()
    session.verify = os.environ.get("VAULT_CACERT") or True
    return Server(address, os.environ["VAULT_TOKEN"], session)
