"""How fast a bundle is verified, against stock tools over the same files in the same run.

    python bench/verify.py [--files N] [--size BYTES]

By default 2,000 artifacts of 1 MiB, in the page cache for all. The ceiling is what two threads
hash of as many bytes from memory. Then comes the verifier: hashes only, as the tools beside it do;
all of it; and all of it over artifacts of a few bytes, which leaves signatures, proofs and what is
told again. Where a tool is not installed, a line says how to get it.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.rig.figures import skip, tell
from evidence import bag
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from evidence.verify_files import check_files, find_files
from evidence.verify_report import Report
from tests.evidence.chamber import Chamber, make_chamber

REPEATS = 3
# bagit asks setuptools for its own version in a way that is no more.
BAGIT = """
import sys, types
from importlib import metadata
past = sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
past.DistributionNotFound = metadata.PackageNotFoundError
past.get_distribution = metadata.distribution
import bagit
bagit.main()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Figures of verifying one bundle.")
    parser.add_argument("--files", type=int, default=2000, help="artifacts in the bundle")
    parser.add_argument("--size", type=int, default=1 << 20, help="bytes of each")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        small = made(Path(name, "small"), chosen.files, 16)
        verified("verify_without_hashing", small, chosen.files)
        large = made(Path(name, "large"), chosen.files, chosen.size)
        payload = sum(p.stat().st_size for p in (large.folder / "bundle/data").rglob("*"))
        ceiling(payload)
        hashed(large.folder / "bundle", payload)
        verified("verify", large, chosen.files, payload)
        peers(large.folder / "bundle", payload)


def made(folder: Path, files: int, size: int) -> Chamber:
    """Return a deployment whose bundle has so many artifacts; its locker is gone."""
    folder.mkdir()
    chamber = make_chamber(folder)
    chamber.say("case.open", {"finding": "bench"})
    for number in range(files):
        data = os.urandom(size)
        chamber.keep(Item(f"item-{number}", "application/octet-stream", data, False, "bench.read"))
        if number % 200 == 0:
            chamber.integrate()
    chamber.count()
    chamber.export()
    shutil.rmtree(folder / "locker")
    return chamber


def verified(name: str, chamber: Chamber, files: int, payload: int = 0) -> None:
    def work() -> None:
        verdict = verify_bundle(chamber.folder / "bundle", chamber.trust)
        if verdict.problems:
            raise SystemExit(f"the bundle does not verify: {verdict.problems[0]}")

    say(name, work, payload, f"{files} artifacts")


def hashed(bundle: Path, payload: int) -> None:
    """Check the bag alone, as the tools do that know no signatures."""

    def work() -> None:
        report = Report()
        check_files(find_files(bundle, report), report)
        if report.problems:
            raise SystemExit(f"the bag does not verify: {report.problems[0]}")

    say("verify_hashes_only", work, payload)


def ceiling(payload: int) -> None:
    """Hash as many bytes, the same MiB over and over, in two threads."""
    block = os.urandom(1 << 20)

    def half() -> None:
        digest = hashlib.sha256()
        for _ in range(payload // 2 >> 20):
            digest.update(block)

    def work() -> None:
        with ThreadPoolExecutor(max_workers=2) as pool:
            for done in [pool.submit(half) for _ in range(2)]:
                done.result()

    say("sha256_ceiling_two_threads", work, payload)


def peers(bundle: Path, payload: int) -> None:
    run("sha256sum", [["sha256sum", "--quiet", "-c", bag.MANIFEST]], bundle, payload, "coreutils")
    known = bundle.parent / "hashdeep.txt"
    if shutil.which("hashdeep"):
        with known.open("wb") as file:
            command = ["hashdeep", "-c", "sha256", "-r", "-l", "data"]
            subprocess.run(command, cwd=bundle, stdout=file, check=True)
    audit = ["hashdeep", "-c", "sha256", "-r", "-l", "-a", "-k", str(known), "data"]
    run("hashdeep", [audit], bundle, payload, "apt-get install hashdeep")
    bagit = [sys.executable, "-c", BAGIT, "--validate", "--processes", "2", "."]
    run("bagit_two_processes", [bagit], bundle, payload, "pip install bagit")
    names = sorted(str(path) for path in (bundle / bag.ARTIFACTS).iterdir())
    halves = [["openssl", "dgst", "-sha256", *part] for part in (names[::2], names[1::2])]
    run("openssl_two_processes", halves, bundle, payload, "apt-get install openssl")


def run(
    name: str, commands: Sequence[Sequence[str]], folder: Path, payload: int, package: str
) -> None:
    """Time commands that run side by side."""

    def work() -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        running = [subprocess.Popen(command, cwd=folder, **quiet) for command in commands]
        for one in running:
            _, told = one.communicate()
            if one.returncode:
                raise FileNotFoundError(told.decode(errors="replace").strip()[-200:])

    try:
        say(name, work, payload)
    except FileNotFoundError as error:
        skip(name, f"{error}; it comes with: {package}")


def say(name: str, work: Callable[[], None], payload: int, note: str = "") -> None:
    """Print the best of some runs, in seconds, and in GB/s of payload where there is one."""
    spent = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    tell(name, min(spent), "s", note)
    if payload:
        tell(f"{name}_rate", payload / min(spent) / 1e9, "GB/s", note)


if __name__ == "__main__":
    main()
