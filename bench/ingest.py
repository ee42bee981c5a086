"""How fast artifacts are taken into custody, and in how much memory, beside stock tools.

`ingest_cpu` hashes, encrypts and hashes again, and writes nowhere; `ingest_disk` writes, syncs,
reads back and names besides. Its ceiling on two cores is what two threads of SHA-256 reach, halved,
for each byte is hashed twice. The stock tools only hash, once. The file is in the page cache for
all of them; what the locker reads back comes from the disk.
"""

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from evidence.chunked import KEY, SALT, cipher
from evidence.ingest import BLOCK, ingest, opened
from evidence.keys import WrapKey
from evidence.locker import Locker

SIZE = 1 << 30
LARGE = 10 << 30
WRAP = WrapKey("wrap:bench", os.urandom(32))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        folder = Path(name)
        source = folder / "artifact"
        write(source)
        os.sync()
        locker = Locker(folder / "locker")
        tell("ingest_cpu", lambda: pipeline(source))
        tell("ingest_disk", lambda: sealed(locker, source))
        tell("store_plain_disk", lambda: plain(locker, source))
        tell("sha256_two_threads", hashing)
        tell("sha256sum", lambda: run(["sha256sum", str(source)]))
        halves = [folder / "half-1", folder / "half-2"]
        split(source, halves)
        tell("openssl_sha256_two", lambda: run_both(halves))
    command = [sys.executable, "-m", "bench.ingest", "memory"]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": "."})


def memory() -> None:
    """Take in an artifact of 10 GiB in a process of its own; tell the most that it ever held."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        source = Path(name) / "artifact"
        # Without blocks of its own on the disk; what is written of it has them.
        with source.open("wb") as file:
            file.truncate(LARGE)
        tell("ingest_10gib_disk", lambda: sealed(Locker(Path(name) / "locker"), source), LARGE, 1)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"BENCH ingest_10gib_memory {held:.0f} MB", flush=True)


def pipeline(source: Path) -> None:
    with source.open("rb") as file:
        taken = opened(file.fileno())
        ingest(taken.read, lambda _: None, cipher(os.urandom(KEY), os.urandom(SALT)))


def sealed(locker: Locker, source: Path) -> None:
    with source.open("rb") as file:
        locker.put_sealed(opened(file.fileno()).read, WRAP)


def plain(locker: Locker, source: Path) -> None:
    with source.open("rb") as file:
        locker.put(opened(file.fileno()).read)


def hashing() -> None:
    """Hash `SIZE` bytes in memory by two threads: the most that this machine can do."""
    block = os.urandom(BLOCK)

    def half() -> None:
        digest = hashlib.sha256()
        for _ in range(SIZE // BLOCK // 2):
            digest.update(block)

    threads = [threading.Thread(target=half) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def tell(name: str, work: Callable[[], None], size: int = SIZE, repeats: int = 3) -> None:
    """Print the best of some runs: what else the machine does only ever slows it down."""
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    print(f"BENCH {name} {size / min(took) / 1e9:.3f} GB/s", flush=True)


def write(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(SIZE // BLOCK):
            file.write(os.urandom(BLOCK))


def split(source: Path, halves: list[Path]) -> None:
    with source.open("rb") as stream:
        for half in halves:
            with half.open("wb") as file:
                for _ in range(SIZE // BLOCK // 2):
                    file.write(stream.read(BLOCK))


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def run_both(halves: list[Path]) -> None:
    commands = [["openssl", "dgst", "-sha256", str(half)] for half in halves]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for one in running:
        if one.wait():
            raise SystemExit("openssl dgst failed; install openssl to compare with it")


if __name__ == "__main__":
    memory() if sys.argv[1:] == ["memory"] else main()
