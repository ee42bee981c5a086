"""`stanch serve` as it runs, while its database goes away: a full disk, a dead PostgreSQL."""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evidence import bundle, ledger
from evidence.locker import Locker
from evidence.verify import verify_bundle
from playbooks.case import store
from playbooks.case.spool import Spool
from playbooks.case.store import Store
from playbooks.wiring import keyring
from playbooks.wiring.database import open_engine
from tests.playbooks.respond.living import Living, living
from tests.postgres import Server, server_or_skip
from tests.sample import each_of_the_day

INCIDENT = "INC-0001"


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """Mount a file system of its own over the folder; it holds little."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk; run the tests as root to have one filled")
    folder.mkdir(mode=0o700)
    options = f"size={mebibytes}m,mode=0700"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=False)
    if made.returncode:
        pytest.skip("no file system may be mounted here (containers need CAP_SYS_ADMIN for that)")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Write until there is no room."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def missing(here: Living) -> list[str]:
    """Return what of the reflex is not in effect, as the simulated AWS says."""
    return sorted({"PutRolePolicy", "ModifyInstanceAttribute", "EnterStandby"} - set(done(here)))


def done(here: Living) -> Counter[str]:
    """Return how often Stanch's own role called an operation that was carried out."""
    return Counter(call.operation for call in ours(here))


def ours(here: Living) -> list[Any]:
    """Return the calls of Stanch's own role that were carried out."""
    return [
        call
        for call in list(here.world.calls)
        if call.principal and "incident-responder" in call.principal.arn and not call.error
    ]


def waits(here: Living) -> int:
    return len(Spool(here.made.settings.spool_path).read().records)


def whole(here: Living, folder: Path) -> dict[str, Any]:
    """Return what is left of the one incident, whose ledger and bundle prove themselves."""
    assert [i.id for i in here.read(store.incidents)] == [INCIDENT]
    here.read(ledger.replay)
    keys = keyring.load(here.made.settings.home / "keys", here.made.settings.origin)
    assert here.until(lambda: proven(here))
    locker = Locker(here.made.settings.home / "evidence")

    def export(conn: Any) -> Any:
        return bundle.export(conn, locker, INCIDENT, keys.manifest, folder / "bundle")

    verdict = verify_bundle(here.read(export).path, keys.trust())
    # 3: all is valid, and nobody from outside has witnessed it.
    assert (verdict.exit_code, verdict.problems) == (3, ())
    steps = [i for i, _ in here.read(lambda conn: store.steps(conn, INCIDENT))]
    return {i.step.partition("/")[0]: (i.phase, i.verdict) for i in steps}


def entries(here: Living) -> list[Any]:
    return here.read(lambda conn: list(ledger.entries(conn, INCIDENT)))


def proven(here: Living) -> bool:
    """Tell whether every entry stands under a signed head, which comes after its place."""
    size = here.read(ledger.latest_checkpoint).checkpoint.size
    return all(e.index is not None and e.index < size for e in entries(here))


def contained_at_last(here: Living, folder: Path) -> None:
    """All is brought in, the play goes on to its end, each step with one intent."""
    here.until(lambda: waits(here) == 0)
    here.until(lambda: here.status(INCIDENT).startswith("contained"))
    steps = whole(here, folder)
    assert set(steps.values()) == {("done", "verified")}, steps
    kinds = Counter((e.leaf.kind, e.body.get("step")) for e in entries(here))
    doubled = {k: n for k, n in kinds.items() if k[0] in ("action.intent", "action.done") and n > 1}
    assert doubled == {}
    # A step whose outcome was not recorded is written again: the same thing, in the same place.
    for operation in ("PutRolePolicy", "EnterStandby"):
        written = {repr(sorted(c.params.items())) for c in ours(here) if c.operation == operation}
        assert len(written) == 1, written


def test_on_a_full_disk(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with small_disk(home, 24), living(tmp_path) as here:
        child = here.start("serve", "--port", "0", "--without-prefect")
        filler = fill(home)
        status, answer = here.post(child)
        assert status in (200, 202), (status, answer, here.said())
        here.until(lambda: not missing(here))
        again, _ = here.post(child)
        assert again == status
        assert waits(here) > 0
        filler.unlink()
        contained_at_last(here, tmp_path)
        assert here.stop(child) == 0


@pytest.fixture
def postgres() -> Iterator[Server]:
    with server_or_skip() as made:
        yield made


@contextmanager
def on_postgres(folder: Path, made: Server) -> Iterator[tuple[Living, dict[str, str]]]:
    """Yield a deployment on a database of that server, and the environment that says so."""
    told = {"STANCH_DATABASE": "env:STORY_DATABASE", "STORY_DATABASE": made.url(made.database())}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        with living(folder) as here:
            here.db = Store(open_engine(here.made.settings))
            try:
                yield here, told
            finally:
                here.db.engine.dispose()


def test_with_postgres_gone_before_the_alert(tmp_path: Path, postgres: Server) -> None:
    with on_postgres(tmp_path, postgres) as (here, told):
        child = here.start("serve", "--port", "0", "--without-prefect", **told)
        postgres.stop("kill")
        status, answer = here.post(child)
        assert status in (200, 202), (status, answer, here.said())
        here.until(lambda: not missing(here))
        assert waits(here) > 0
        postgres.start()
        contained_at_last(here, tmp_path)
        assert here.stop(child) == 0


@pytest.mark.parametrize(
    "after",
    each_of_the_day(["", "PutRolePolicy", "EnterStandby"]),
    ids=lambda name: name or "the alert",
)
def test_with_postgres_killed_in_mid_play(tmp_path: Path, postgres: Server, after: str) -> None:
    """It dies with an alert accepted, a step intended, a step in effect and not recorded so."""
    with on_postgres(tmp_path, postgres) as (here, told):
        child = here.start("serve", "--port", "0", "--without-prefect", **told)
        status, _ = here.post(child)
        assert status in (200, 202)
        here.until(lambda: not after or done(here)[after])
        postgres.stop("kill")
        here.until(lambda: not missing(here))
        postgres.start()
        contained_at_last(here, tmp_path)
        assert here.stop(child) == 0
