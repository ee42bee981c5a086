"""Runs what is measured as a process of its own, and reads from proc(5) what it costs."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
READY = "ready "


@dataclass(frozen=True, slots=True)
class Served:
    """A process that said that it is ready, and what it said after that: its URL."""

    child: "subprocess.Popen[bytes]"
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def cpu(self) -> float:
        """Return the processor's seconds that it has used so far."""
        return _used(self.child.pid)

    def memory(self, what: str) -> float:
        """Return VmRSS (now) or VmHWM (at most so far) in MB."""
        for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1]) * 1024 / 1e6
        raise RuntimeError(f"proc(5) does not tell {what}")


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment without its AWS and Stanch settings, and with `more`."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "STANCH_", "PREFECT"))}
    return mine | {"PYTHONPATH": str(ROOT)} | more


@contextmanager
def serving(arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> Iterator[Served]:
    """Run `python ARGUMENTS` while the block runs; yield it once it prints `ready URL`."""
    said, log = folder / "out", folder / "log"
    with said.open("wb") as out, log.open("wb") as logged:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=logged,
        )
    try:
        yield Served(child, _url(child, said, log), log)
    finally:
        child.terminate()
        try:
            child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _url(child: "subprocess.Popen[bytes]", said: Path, log: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end and child.poll() is None:
        for line in said.read_text().splitlines():
            if line.startswith(READY):
                return line.removeprefix(READY).strip()
        time.sleep(0.02)
    raise RuntimeError(f"it does not get ready; its last words: {log.read_text()[-2000:]}")


def family_cpu(parent: int) -> float:
    """Return the processor's seconds of a process and its children, ended ones included."""
    used = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It ended meanwhile.
        if pid == parent:
            used += sum(map(int, fields[11:15])) / TICKS
        elif int(fields[1]) == parent:
            used += sum(map(int, fields[11:13])) / TICKS
    return used


def _used(pid: int) -> float:
    # proc(5): fields 14 and 15, counted here from behind the name, which may hold spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
