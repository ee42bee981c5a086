"""A PostgreSQL killed in the middle of much work: nothing acknowledged is lost or doubled."""

import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from evidence import ledger
from evidence.note import signer_of
from playbooks.case.record import Record
from playbooks.case.store import Store
from tests.postgres import server

AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
RECORD = Record("stanch", lambda: AT, os.urandom)
PATIENCE = 60


def noting(case: str, name: str) -> Callable[[Connection], None]:
    return lambda conn: RECORD.note(conn, case, "test.unit", {"name": name})


def test_a_server_killed_in_a_storm_loses_nothing_acknowledged_and_doubles_nothing(
    postgres_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with server() as postgres:
        engine = ledger.postgres_engine(postgres.url())
        with engine.begin() as conn:
            ledger.create_schema(conn)
        db = Store(engine)
        acked: list[str] = []
        broken: list[str] = []
        over = Event()

        def storm(thread: int) -> None:
            number = 0
            while not over.is_set():
                number += 1
                name = f"{thread}/{number}"
                try:
                    db.commit(noting(f"INC-{number % 3}", name))
                except DBAPIError:
                    broken.append(name)
                else:
                    acked.append(name)

        def until(count: int) -> None:
            limit = time.monotonic() + PATIENCE
            while len(acked) < count:
                assert time.monotonic() < limit, "the storm stands still"

        with ThreadPoolExecutor(8) as pool:
            threads = [pool.submit(storm, n) for n in range(8)]
            try:
                for _ in range(3):
                    until(len(acked) + 100)
                    postgres.stop("kill")
                    postgres.start()
                until(len(acked) + 100)
            finally:
                over.set()
            for thread in threads:
                thread.result(PATIENCE)
        cases = [f"INC-{n}" for n in range(3)]
        found = db.read(lambda conn: [e for c in cases for e in ledger.entries(conn, c)])
        names = Counter(str(e.body["name"]) for e in found)
        signer = signer_of("log.example", Ed25519PrivateKey.generate())
        db.commit(lambda conn: ledger.integrate(conn, signer, now=AT))
        db.read(ledger.replay)
        engine.dispose()
    lost = set(acked) - names.keys()
    doubled = {name for name, count in names.items() if count > 1}
    with capsys.disabled():
        print(
            f"\nstorm: 3 kills, {len(acked)} acknowledged, {len(broken)} broken off"
            f" ({len(names.keys() - set(acked))} of them there),"
            f" {len(lost)} lost, {len(doubled)} doubled"
        )
    assert (lost, doubled) == (set(), set())
    assert names.keys() <= set(acked) | set(broken)
    assert broken
