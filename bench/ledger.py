"""What the ledger bears: durable appends by one and by many producers, and a replay of a million.

Each append is one caller's commit, acknowledged after its fsync. On SQLite producers share commits
the way incidents do; on PostgreSQL each commits for itself over loopback, and the server shares
fsyncs. Figures are of this machine's disk.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from evidence import ledger
from evidence.leaf import Leaf, stamp, write_leaf
from evidence.ledger_engine import in_dialect
from evidence.merkle import leaf_hash
from evidence.note import signer_of
from playbooks.case.store import Store
from tests.postgres import Server, server

SECONDS = 4.0
REPLAYED = 1_000_000
FILL = "INSERT INTO ledger_entries (pseudonym, case_seq, leaf, leaf_hash) VALUES (?, ?, ?, ?)"
BODY = {
    "action": "isolate_instance",
    "target": "i-0123456789abcdef0",
    "before": {"eni-0a": ["sg-0123456789abcdef0"]},
    "after": {"eni-0a": ["sg-0fedcba9876543210"]},
}


def main() -> None:
    for producers in (1, 32):
        with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
            append(open_ledger(Path(folder)), producers, "ledger")
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        replay(open_ledger(Path(folder)), REPLAYED, "ledger")
    try:
        on_postgres()
    except FileNotFoundError as error:
        print(f"SKIP ledger on PostgreSQL: {error}", flush=True)


def on_postgres() -> None:
    with server(durable=True) as postgres:
        for producers in (1, 32):
            append(made(postgres_engine(postgres)), producers, "ledger_postgresql")
        replay(made(postgres_engine(postgres)), REPLAYED // 10, "ledger_postgresql")


def postgres_engine(postgres: Server) -> Engine:
    return ledger.postgres_engine(postgres.url(postgres.database()), connections=32)


def tell(name: str, value: float, unit: str) -> None:
    print(f"BENCH {name} {value:.3f} {unit}", flush=True)


def open_ledger(folder: Path) -> Engine:
    return made(ledger.sqlite_engine(folder / "ledger.db"))


def made(engine: Engine) -> Engine:
    with engine.begin() as conn:
        ledger.create_schema(conn)
    return engine


def append(engine: Engine, producers: int, where: str) -> None:
    store = Store(engine)
    took: list[list[float]] = [[] for _ in range(producers)]
    end = time.perf_counter() + SECONDS

    def produce(number: int) -> None:
        while (start := time.perf_counter()) < end:
            now = datetime.now(UTC)
            entry = ledger.Entry("change", f"INC-{number}", BODY, "stanch", now)
            salt = os.urandom(32)
            store.commit(lambda conn: ledger.append(conn, entry, record_time=now, salt=salt))  # noqa: B023
            took[number].append(time.perf_counter() - start)

    began = time.perf_counter()
    threads = [threading.Thread(target=produce, args=(n,)) for n in range(producers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    every = sorted(one for each in took for one in each)
    name = f"{where}_append_{producers}"
    tell(f"{name}_rate", len(every) / spent, "1/s")
    tell(f"{name}_p50", every[len(every) // 2] * 1e3, "ms")
    tell(f"{name}_p99", every[len(every) * 99 // 100] * 1e3, "ms")
    engine.dispose()


def replay(engine: Engine, count: int, where: str) -> None:
    signer = signer_of("bench.example", Ed25519PrivateKey.generate())
    with engine.begin() as conn:
        # The same rows that appends leave, written in bulk.
        conn.exec_driver_sql(in_dialect(conn, FILL), list(rows(count)))
        start = time.perf_counter()
        ledger.integrate(conn, signer, now=datetime.now(UTC))
        tell(f"{where}_integrate_rate", count / (time.perf_counter() - start), "1/s")
    with engine.execution_options(read_only=True).begin() as conn:
        start = time.perf_counter()
        ledger.replay(conn)
        tell(f"{where}_replay_{count}", time.perf_counter() - start, "s")
    engine.dispose()


def rows(count: int) -> Iterator[tuple[str, int, bytes, bytes]]:
    name, now, prev = "ab" * 16, stamp(datetime.now(UTC)), None
    for seq in range(count):
        leaf = Leaf("change", name, seq, prev, now, now, "cd" * 32, "ef" * 32)
        data = write_leaf(leaf)
        digest = leaf_hash(data)
        prev = digest.hex()
        yield name, seq, data, digest


if __name__ == "__main__":
    main()
