"""How fast artifacts go into the locker, against stock tools on the same file in the same run.

The locker hashes, stores, syncs, reads back and names; the stock tools only hash. The file
is in the page cache for all of them; what the locker reads back comes from the disk.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from evidence.locker import Locker

SIZE = 1 << 30
CHUNK = 1 << 20


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        folder = Path(name)
        source = folder / "artifact"
        write(source)
        locker = Locker(folder / "locker")

        def store() -> None:
            with source.open("rb") as stream:
                locker.put(stream)

        tell("locker_store", store)
        tell("sha256sum", lambda: run(["sha256sum", str(source)]))
        halves = [folder / "half-1", folder / "half-2"]
        split(source, halves)
        tell("openssl_sha256_two", lambda: run_both(halves))


def tell(name: str, work: Callable[[], None]) -> None:
    start = time.perf_counter()
    work()
    spent = time.perf_counter() - start
    print(f"BENCH {name} {SIZE / spent / 1e9:.3f} GB/s", flush=True)


def write(path: Path) -> None:
    with path.open("wb") as file:
        for _ in range(SIZE // CHUNK):
            file.write(os.urandom(CHUNK))


def split(source: Path, halves: list[Path]) -> None:
    with source.open("rb") as stream:
        for half in halves:
            with half.open("wb") as file:
                for _ in range(SIZE // CHUNK // 2):
                    file.write(stream.read(CHUNK))


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def run_both(halves: list[Path]) -> None:
    commands = [["openssl", "dgst", "-sha256", str(half)] for half in halves]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    for one in running:
        if one.wait():
            raise SystemExit("openssl dgst failed; install openssl to compare with it")


if __name__ == "__main__":
    main()
