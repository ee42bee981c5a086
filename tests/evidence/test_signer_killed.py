"""The signer's own process: it starts, stops, and is killed anywhere, and there is one history."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from evidence.errors import ForkError, KeyServiceError
from evidence.key_files import pem, write_closed
from evidence.note import Checkpoint, open_checkpoint, signer_of
from evidence.signer_client import AskedSigner
from tests.evidence.growing_log import LOG, GrowingLog
from tests.evidence.signer_site import Site

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = LOG.verifier.name


class TestCommand:
    """The real process, over the real socket."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        tmp_path.chmod(0o700)
        self.key = Ed25519PrivateKey.generate()
        write_closed(tmp_path / "log.pem", pem(self.key))
        return tmp_path

    def command(self, folder: Path, *more: str) -> list[str]:
        key = (folder / "log.pem").as_uri()
        asked = ["signer", "--key", key, "--origin", ORIGIN, "--memory", str(folder)]
        return [sys.executable, "-m", "evidence", *asked, "--socket", str(folder / "s"), *more]

    @contextmanager
    def running(self, folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self.command(folder, *more), cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(f"ready {folder / 's'} {ORIGIN}+")
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def client(self, folder: Path) -> AskedSigner:
        return AskedSigner(folder / "s", signer_of(ORIGIN, self.key).verifier)

    def test_it_signs_and_stops_when_it_is_told_to(self, folder):
        log = GrowingLog().grow(4)
        with self.running(folder, "--begin") as process:
            note = self.client(folder).sign(log.head(), log.prove)
            assert open_checkpoint(note, self.client(folder).verifier) == log.head()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert not (folder / "s").exists()
        with self.running(folder):
            assert self.client(folder).last() == log.head()

    def test_without_its_memory_or_with_an_unknown_user_it_does_not_start(self, folder):
        for more, said in (((), "does not know"), (("--begin", "--allow", "no-such"), "no user")):
            done = subprocess.run(
                self.command(folder, *more), cwd=ROOT, capture_output=True, text=True, check=False
            )
            assert (done.returncode, said in done.stderr) == (1, True), done.stderr

    def test_killed_again_and_again_it_never_signs_two_histories(self, folder):
        """A fork is asked for besides, in turn; whatever was given out is of one history."""
        log = GrowingLog().grow(1)
        notes: list[Checkpoint] = []
        more = ("--begin",)
        for turn in range(3):
            with self.running(folder, *more) as process:
                more = ()
                killer = threading.Timer(0.1 * (turn + 1), process.kill)
                killer.start()
                with suppress(KeyServiceError):
                    while True:
                        log.grow(1)
                        for one in (log, log.fork(0, len(log.leaves) + 1)):
                            with suppress(ForkError):
                                note = self.client(folder).sign(one.head(), one.prove)
                                notes.append(open_checkpoint(note, self.client(folder).verifier))
                killer.join()
        assert notes
        by_size = {}
        for note in notes:
            assert by_size.setdefault(note.size, note.root) == note.root


KILLED = """
import os, sys
from pathlib import Path
from evidence import key_files, signer, signer_server
from evidence.note import NoteSigner
from tests.evidence.growing_log import LOG

folder, at = Path(sys.argv[1]), sys.argv[2]


def die():
    os.kill(os.getpid(), 9)


def sign(data):
    if at == "before signing":
        die()
    signature = LOG.sign(data)
    (folder / "signature").write_bytes(signature)
    if at == "after signing":
        die()
    return signature


def replace(path, material):
    if at == "before remembering":
        die()
    key_files.replace_closed(path, material)
    if at == "after remembering":
        die()


signer.replace_closed = replace
made = signer.RememberingSigner(NoteSigner(LOG.verifier, sign), folder / signer.MEMORY)
door = signer_server.Door(folder / "s", frozenset({os.geteuid()}))
print("ready", flush=True)
server = signer_server.SignerServer(made, signer_server.bind(door), door.users, print)
print("ready", flush=True)
server.serve()
"""


@pytest.mark.parametrize(
    "at", ["before remembering", "after remembering", "before signing", "after signing"]
)
def test_killed_between_remembering_and_signing_it_signs_no_other_head(tmp_path, at):
    site = Site(tmp_path)
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    site.path = site.memory / "s"
    site.client = AskedSigner(site.path, LOG.verifier)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(script), str(site.memory), at],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n"] * 2
    log = GrowingLog().grow(6)
    fork = log.fork(2, 4)
    with pytest.raises(KeyServiceError):
        site.client.sign(log.head(), log.prove)
    assert process.wait(20) == -signal.SIGKILL
    process.stdout.close()
    remembered = at != "before remembering"
    assert (site.memory / "signature").exists() is (at == "after signing")
    with site.serving():
        if remembered:
            with pytest.raises(ForkError):
                site.sign(fork)
            assert site.sign(log) == log.head()
        else:
            # Nothing was signed, so either history may be; then no other.
            assert site.sign(fork) == fork.head()
            with pytest.raises(ForkError):
                site.sign(log)
