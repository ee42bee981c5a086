"""What the ledger bears: durable appends by one and by many producers, and a replay of a million.

Each append is one caller's commit, acknowledged after its fsync; producers share commits the way
incidents do. Figures are of this machine's disk.
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
from evidence.merkle import leaf_hash
from evidence.note import signer_of
from playbooks.case.store import Store

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
            append(open_ledger(Path(folder)), producers)
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder:
        replay(open_ledger(Path(folder)))


def tell(name: str, value: float, unit: str) -> None:
    print(f"BENCH {name} {value:.3f} {unit}", flush=True)


def open_ledger(folder: Path) -> Engine:
    engine = ledger.sqlite_engine(folder / "ledger.db")
    with engine.begin() as conn:
        ledger.create_schema(conn)
    return engine


def append(engine: Engine, producers: int) -> None:
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
    name = f"ledger_append_{producers}"
    tell(f"{name}_rate", len(every) / spent, "1/s")
    tell(f"{name}_p50", every[len(every) // 2] * 1e3, "ms")
    tell(f"{name}_p99", every[len(every) * 99 // 100] * 1e3, "ms")
    engine.dispose()


def replay(engine: Engine) -> None:
    signer = signer_of("bench.example", Ed25519PrivateKey.generate())
    with engine.begin() as conn:
        # The same rows that appends leave, written in bulk.
        conn.exec_driver_sql(FILL, list(rows()))
        start = time.perf_counter()
        ledger.integrate(conn, signer, now=datetime.now(UTC))
        tell("ledger_integrate_rate", REPLAYED / (time.perf_counter() - start), "1/s")
    with engine.begin() as conn:
        start = time.perf_counter()
        ledger.replay(conn)
        tell("ledger_replay_1000000", time.perf_counter() - start, "s")
    engine.dispose()


def rows() -> Iterator[tuple[str, int, bytes, bytes]]:
    name, now, prev = "ab" * 16, stamp(datetime.now(UTC)), None
    for seq in range(REPLAYED):
        leaf = Leaf("change", name, seq, prev, now, now, "cd" * 32, "ef" * 32)
        data = write_leaf(leaf)
        digest = leaf_hash(data)
        prev = digest.hex()
        yield name, seq, data, digest


if __name__ == "__main__":
    main()
