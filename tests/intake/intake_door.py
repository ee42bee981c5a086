"""A real deployment with its door open: uvicorn on a free port of loopback, SQLite beneath."""

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from siem_findings import ACCOUNT, KEY, SENDER, headers
from sqlalchemy import text

from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.intake.http import Door, app
from playbooks.intake.listen import LOOPBACK, listening
from playbooks.intake.senders import known_senders
from playbooks.intake.signed import check
from playbooks.respond.take import accepting, rejecting
from playbooks.wiring.automatic_terms import Automatic
from playbooks.wiring.channel_terms import Sender
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import Account, Settings

TABLES = ("incidents", "alerts", "seen", "rejected", "work", "ledger_entries")


@dataclass
class House:
    """A deployment in a folder: its parts, its store, and how many rows each table has."""

    parts: Parts
    db: Store
    port: int = 0
    before: dict[str, int] = field(default_factory=dict)

    def rows(self, query: str) -> list[Any]:
        return self.db.read(lambda conn: list(conn.execute(text(query))))

    def counts(self) -> dict[str, int]:
        return {table: self.rows(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}

    def added(self) -> dict[str, int]:
        """Return what was added to each table since the last time, where anything was."""
        now = self.counts()
        more = {t: now[t] - self.before.get(t, 0) for t in TABLES}
        self.before = now
        return {table: count for table, count in more.items() if count}

    def post(self, body: bytes, given: dict[str, str] | None = None, **more: Any) -> "Told":
        """Post the body, signed unless headers are given, and return what was answered."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=20)
        try:
            sent = headers(body, **more) if given is None else given
            connection.request("POST", "/intake/generic", body, sent)
            answer = connection.getresponse()
            return Told(answer.status, answer.read(), dict(answer.getheaders()))
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send these bytes as they are and return all that comes back."""
        with socket.create_connection((LOOPBACK, self.port), timeout=20) as sent:
            try:
                sent.sendall(data)
                sent.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # Refused before all of it was read.
            found = b""
            try:
                while part := sent.recv(65536):
                    found += part
            except ConnectionResetError:
                pass
            return found


@dataclass(frozen=True)
class Told:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def house(folder: Path, url: str = "", **settings: Any) -> House:
    """Make a deployment that knows one sender, whose `beacon` may be answered without a person.

    `url` names a PostgreSQL database; else there is a SQLite file.
    """
    os.environ["STANCH_TEST_KEY"] = KEY.decode()
    values: dict[str, Any] = {
        "home": folder / "home",
        "accounts": {ACCOUNT: Account(regions=("eu-west-1",))},
        "automatic": Automatic(types=("beacon", "scan", "UnauthorizedAccess:EC2/*")),
        "sources": {
            SENDER: Sender(
                keys=("env:STANCH_TEST_KEY",),
                plays={"beacon": "compromised-instance", "scan": "compromised_instance"},
            )
        },
    }
    if url:
        os.environ["STANCH_TEST_DATABASE"] = url
        values["database"] = "env:STANCH_TEST_DATABASE"
    made = Settings(**(values | settings))
    make(made)
    parts = replace(assemble(made), pool=None)
    return House(parts, Store(parts.engine))


@contextmanager
def opened(one: House, patience: float = 10.0, accept: Any = None) -> Iterator[House]:
    """Open the house's door while the block runs."""
    known = known_senders(one.parts.settings, one.parts.random)
    door = Door(
        accept or accepting(one.parts, one.db),
        rejecting(one.parts, one.db),
        lambda stamp, body: check(known, stamp, body, one.parts.now()),
        one.parts.now,
        ThreadPoolExecutor(2, thread_name_prefix="door"),
        patience,
    )
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((LOOPBACK, 0))
    bound.listen(64)
    server = uvicorn.Server(listening(app(door), 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    one.port = bound.getsockname()[1]
    try:
        yield one
    finally:
        server.should_exit = True
        thread.join()
        bound.close()
        door.pool.shutdown()
        one.parts.engine.dispose()
