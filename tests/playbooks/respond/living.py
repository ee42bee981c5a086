"""Stanch as it stays up: processes of their own over a world that answers by HTTP from here."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from evidence import ledger
from playbooks.case import store
from playbooks.case.store import Store
from playbooks.drills.range.estate import Estate, build_estate
from playbooks.drills.range.server import serve
from playbooks.drills.range.world import World
from playbooks.drills.scenario import Deployment, deploy, finding

ROOT = Path(__file__).resolve().parents[3]
# A loaded machine of two cores starts a process in some seconds.
PATIENCE = 60.0


@dataclass
class Living:
    """A deployment on disk, and the processes that work for it; they end with the block."""

    world: World
    estate: Estate
    made: Deployment
    db: Store
    children: list["subprocess.Popen[str]"] = field(default_factory=list)

    def start(self, *command: str, **more: str) -> "subprocess.Popen[str]":
        """Start a command that stays, and return once it says that it is ready."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "STANCH_"))}
        with (self.made.folder / f"log-{len(self.children)}").open("w") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "playbooks", *command],
                cwd=ROOT,
                env=env | self.made.environment | more,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.children.append(child)
        assert child.stdout is not None
        said = child.stdout.readline().strip()
        assert said.startswith("ready"), self.said()
        child.url = said.partition(" ")[2]  # type: ignore[attr-defined]
        return child

    def stop(self, child: "subprocess.Popen[str]") -> int:
        """Tell a process to end, and return its exit status."""
        child.send_signal(signal.SIGTERM)
        return child.wait(timeout=PATIENCE)

    def said(self) -> str:
        """Return what the processes logged."""
        return "\n".join(p.read_text() for p in sorted(self.made.folder.glob("log-*")))

    def logged(self) -> list[dict[str, Any]]:
        """Return the log's lines."""
        return [json.loads(one) for one in self.said().splitlines() if one.startswith("{")]

    def post(
        self, child: "subprocess.Popen[str]", number: int = 1, host: str = ""
    ) -> tuple[int, Any]:
        """Post the nth finding as the SIEM would; return the status and the answer."""
        told = finding(self.world, self.estate, number)
        if host:
            told["detail"]["resource"]["instanceDetails"]["instanceId"] = host
        body = json.dumps(told).encode()
        stamp = str(int(time.time()))
        key = self.made.environment["STANCH_DRILL_SIEM_KEY"].encode()
        signed = hmac.new(key, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Stanch-Source": "siem",
            "Stanch-Timestamp": stamp,
            "Stanch-Signature": f"v1={signed}",
        }
        url = f"{child.url}/intake/generic"  # type: ignore[attr-defined]
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def read(self, work: Callable[[Connection], Any]) -> Any:
        return self.db.read(work)

    def kinds(self, incident: str) -> list[str]:
        """Return the kinds of the incident's ledger entries, in order."""
        return [e.leaf.kind for e in self.read(lambda c: list(ledger.entries(c, incident)))]

    def status(self, incident: str) -> str:
        return str(self.read(lambda conn: store.incident(conn, incident).status))

    def calls(self, operation: str) -> int:
        """Return how often an operation was received and well answered."""
        return sum(c.operation == operation for c in list(self.world.calls))

    def until(self, what: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Return what a look gives once it gives something."""
        end = time.monotonic() + patience
        while not (found := what()):
            assert time.monotonic() < end, self.said()[-4000:]
            time.sleep(0.05)
        return found


@contextmanager
def living(folder: Path) -> Iterator[Living]:
    """Yield a deployment in the folder, over a world of its own."""
    world = World()
    estate = build_estate(world)
    with serve(world) as url, pytest.MonkeyPatch.context() as patch:
        # Set by `deploy`, and to be given back: other tests of this process read it.
        patch.setenv("STANCH_CONFIG", "")
        made = deploy(folder, world, estate, url)
        engine = ledger.sqlite_engine(made.settings.home / "stanch.db")
        here = Living(world, estate, made, Store(engine))
        try:
            yield here
        finally:
            for child in here.children:
                child.kill()
                child.wait()
                if child.stdout:
                    child.stdout.close()
            engine.dispose()
