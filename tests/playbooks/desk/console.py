"""Runs `stanch` in this process, against the world over HTTP, as a person at a terminal does."""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playbooks.__main__ import main
from playbooks.drills.range.server import serve
from playbooks.drills.scenario import Deployment, deploy
from playbooks.wiring import parts
from tests.playbooks.scene import Scene


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Stanch = Callable[..., Ran]


def stanch(*args: str) -> Ran:
    """Run one command line."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["stanch", *(str(a) for a in args)]
    status: Any = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as left:
        status = left.code or 0
    finally:
        sys.argv = before
    return Ran(status, out.getvalue(), err.getvalue())


async def briefly(seconds: float) -> None:
    """Wait a twentieth: what is read back here lags by nothing."""
    await asyncio.sleep(seconds / 20)


@contextmanager
def desk(scene: Scene) -> Iterator[Deployment]:
    """Serve the world, deploy Stanch with least privilege, and set its environment."""
    folder = scene.folder / "desk"
    folder.mkdir(mode=0o700)
    with serve(scene.world) as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "asyncio", SimpleNamespace(sleep=briefly))
        made = deploy(folder, scene.world, scene.estate, url)
        os.environ |= made.environment
        scene.world.calls.clear()
        yield made


def begin(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Make a deployment in a folder, and go there; each person's key lies beside its settings."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    assert stanch("init").status == 0
    with (folder / "stanch.toml").open("a") as file:
        for name in names:
            file.write(stanch("person", name, "--key", f"{name}.key").out)
