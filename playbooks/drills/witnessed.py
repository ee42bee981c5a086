"""A drill's witness: a process with its own key and memory, as an auditor would run one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from playbooks.desk.cli.init import write_trust
from playbooks.drills.scenario import Deployment
from playbooks.errors import PlaybookError
from playbooks.wiring import keyring, trusting
from playbooks.wiring.settings import load

NAME, READY = "auditor", "ready "


@contextmanager
def witnessed(made: Deployment) -> Iterator[Deployment]:
    """Run a witness for the deployment while the block runs; yield it with settings that name it.

    Raises PlaybookError where the witness does not start.
    """
    folder = made.folder / "witness"
    home = made.settings.home
    ring = keyring.load(home / "keys", made.settings.origin)
    log = str(trusting.trust(made.settings, ring)["log_vkey"])
    name = f"{NAME}.drill.local"
    init = _evidence("init", str(folder), "--name", name, "--log", log, "--port", "0")
    done = subprocess.run(init, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise PlaybookError(f"the drill's witness was not made: {done.stderr[-500:]!r}")
    vkey = done.stdout.split()[1]
    with (
        (made.folder / "witness.log").open("wb") as logged,
        subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            _evidence("serve", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=logged,
            text=True,
        ) as process,
    ):
        try:
            said = process.stdout.readline() if process.stdout else ""
            if not said.startswith(READY):
                raise PlaybookError(
                    f"the drill's witness did not start. It says in {logged.name} why."
                )
            yield _named(made, said.removeprefix(READY).strip(), vkey)
        finally:
            process.terminate()


def _named(made: Deployment, url: str, vkey: str) -> Deployment:
    """Put the witness into the settings, and into what auditors are given."""
    with (made.folder / "stanch.toml").open("a") as config:
        config.write(f'[witnesses.{NAME}]\nurl = "{url}"\nvkey = "{vkey}"\n')
    settings = load()
    path = settings.home / "keys" / "trust.json"
    path.unlink()
    ring = keyring.load(settings.home / "keys", settings.origin)
    write_trust(path, trusting.trust(settings, ring))
    return replace(made, settings=settings)


def _evidence(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "evidence", "witness", *arguments]
