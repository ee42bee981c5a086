"""A simulated Vault: one WSGI application without threads.

    vault = VaultWorld(seed=7)
    root = vault.client(vault.root_token)                 # hvac, in this process, no socket
    with serve(vault) as url:                             # or over HTTP (server.py)
        hvac.Client(url=url, token=...)

After `os.fork()` a child owns a copy of the whole Vault. Tokens, ids and keys come from the seed.
A fresh one has KV version 2 at secret/, as a development server has. Namespaces, plugins,
replication and response wrapping are not simulated.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import hvac

from playbooks.drills.range.vault import catalogue, digest, front, inprocess, kinds, wire
from playbooks.drills.range.vault.calls import Call
from playbooks.drills.range.vault.core import Core
from playbooks.drills.range.vault.database_server import DatabaseServer
from playbooks.drills.range.vault.faults import Faults
from playbooks.drills.range.vault.iam import Bucket
from playbooks.drills.range.vault.range_iam import RangeIam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import requests

    from playbooks.drills.range.vault.faults import Fault
    from playbooks.drills.range.world import World

URL = "http://vault.range.internal"


class VaultWorld:
    """One Vault. `root_token` may do everything; `calls` lists every request answered.

    `clock` gives epoch seconds; `tick` moves the Vault's time on from it. With `aws` the AWS engine
    makes its users and keys there, with the key it is configured with, and without a `clock` the
    Vault's time is that World's: tick that one.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: Callable[[], float] | None = None,
        aws: World | None = None,
    ) -> None:
        self._clock = clock or (aws.ground.seconds if aws else time.time)
        self._ahead = 0.0
        self._faults = Faults()
        # Ids and keys must repeat for a seed; nothing here protects anything.
        self.core = Core(random.Random(seed), self._clock())  # noqa: S311
        if aws is not None:
            self.core.iam = RangeIam(aws)
        self.core.mount("sys/", "system", catalogue.SYSTEM)
        self.core.mount("auth/token/", "token", catalogue.TOKEN)
        self.core.mount("identity/", "identity", catalogue.IDENTITY)
        self.core.mount("secret/", "kv", kinds.SECRETS["kv"], options={"version": "2"})
        self.root_token = self.core.issue("auth/token/root", ["root"], display_name="root").id
        self.calls: list[Call] = []

    def seconds(self) -> float:
        """The Vault's time, in epoch seconds."""
        return self._clock() + self._ahead

    def tick(self, seconds: float) -> None:
        """Let `seconds` pass, with what expires and what is queued meanwhile."""
        self._ahead += seconds
        self.core.pass_until(self.seconds())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """The WSGI application."""
        return self.respond(self.handle(environ), start_response)

    @staticmethod
    def respond(answer: front.Answer, start_response: Any) -> Iterable[bytes]:
        """Give an answer in WSGI's way."""
        reason = "OK" if answer.status < 300 else "Error"
        length = str(len(answer.body))
        headers = [*answer.headers.items(), ("Content-Length", length)]
        start_response(f"{answer.status} {reason}", headers)
        return [answer.body]

    def handle(self, environ: dict[str, Any]) -> front.Answer:
        """Answer one request (a WSGI environ); never raises for what a client sends."""
        method = environ["REQUEST_METHOD"].upper().replace("PUT", "POST")
        path = environ.get("PATH_INFO", "").removeprefix(wire.PREFIX)
        fault, noted = self._faults.meeting(method, path), len(self.calls)

        def onward() -> front.Answer:
            self.core.pass_until(self.seconds())
            return front.answer(self.core, environ, self.calls)

        if fault is None:
            return onward()
        answer = fault.play(onward)
        if len(self.calls) == noted:
            self.calls.append(Call(method, path, "", answer.status, self.seconds()))
        return answer

    def inject(
        self, fault: Fault, method: str = "*", path: str = "*", nth: int = 1, times: int = 1
    ) -> None:
        """Play a fault (faults.py) at the nth request from now that fits (PUT is POST)."""
        self._faults.order(fault, method, path, nth, times)

    def session(self, address: str = "127.0.0.1") -> requests.Session:
        """A session that reaches this Vault at URL, in-process, as if from `address`."""
        return inprocess.session(self.handle, URL, address)

    def client(self, token: str = "", address: str = "127.0.0.1") -> Any:
        """An hvac client that reaches this Vault in-process; hvac has no types."""
        return hvac.Client(url=URL, token=token, session=self.session(address))

    @property
    def unseal_keys(self) -> tuple[str, ...]:
        """The key shares that unseal it (any three)."""
        return self.core.seal.shares

    def audit_lines(self, device: str) -> list[str]:
        """The lines, each a JSON object, that an audit device has kept."""
        return list(self.core.audits[device].log)

    def database(self, url: str) -> DatabaseServer:
        """The database that connections with this connection_url lead to."""
        return self.core.databases.setdefault(url, DatabaseServer())

    def delay_revocations(self, seconds: float) -> None:
        """Let the queue take so long to come to a revocation; a second unless told otherwise."""
        self.core.revocation_delay = seconds

    def throttle_aws(self, capacity: float, refill: float) -> None:
        """Let AWS take `capacity` requests of the AWS engine at once, `refill` a second then."""
        self.core.iam_bucket = Bucket(capacity, refill, capacity, self.core.now)

    def digest(self) -> str:
        """A hash (hex) of all state that containment can change (digest.py)."""
        return digest.digest(self.core)
