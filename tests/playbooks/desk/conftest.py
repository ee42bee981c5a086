from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbooks.drills.range import tsa
from tests.playbooks.desk.console import begin, stanch
from tests.playbooks.desk.keyed import PLAIN, SECRET, Home


@pytest.fixture
def keyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    begin(tmp_path, monkeypatch, "alice", "bob")
    made = Home(tmp_path)
    made.keep(PLAIN, SECRET)
    yield made
    for parts in made.opened:
        parts.engine.dispose()
        parts.pool.shutdown()


@pytest.fixture
def stamped(keyed: Home) -> Iterator[Home]:
    """The same with two timestamp authorities, whose clocks are the machine's."""
    with ExitStack() as stack:
        lines = []
        for name in ("tsa-a", "tsa-b"):
            runs = tsa.authority(keyed.folder / name, name, lambda: datetime.now(UTC))
            url = stack.enter_context(tsa.serve(runs))
            lines += [f"[timestamps.{name}]", f'url = "{url}"', f'certificate = "{name}/tsa.pem"']
            lines += [f'root = "{name}/root.pem"', f'policy = "{tsa.POLICY}"']
        with (keyed.folder / "stanch.toml").open("a") as file:
            file.write("\n".join(["", *lines, ""]))
        assert stanch("trust").status == 0
        yield keyed
