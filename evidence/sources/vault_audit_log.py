"""What a Vault's audit devices wrote down in a window of time, kept as it lies in their files."""

import gzip
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from evidence.sources.ask import JSON, as_json
from evidence.sources.audit_window import MOST_MARKED, AuditWindow, marks_of
from evidence.sources.item import Item, Missed
from evidence.sources.outcome import Tally, ended, unsupported
from evidence.sources.vault_ask import VAULT, Read, Vaults, ask

LINES = "application/x-ndjson"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class VaultAuditLog:
    """The lines of audit log files between two aware times, and which of them carry a mark.

    `account` is the Vault's name; `logs` are files, or folders whose files are taken, gzip as
    rotation leaves it too. `marks` are ids (an entity's, an accessor) to look for: as they are, and
    as each device hashes them ("/sys/audit-hash"), for accessors stand hashed in the log. They are
    no secrets; what is one, `VaultAuditHunt` looks for. Strings in the lines are hashed by Vault,
    paths and addresses are not, so all of it is sensitive.
    """

    account: str
    logs: tuple[str, ...]
    start: datetime
    end: datetime
    marks: tuple[str, ...] = ()
    region: str = VAULT

    name: ClassVar[str] = "vault_audit_log"
    permissions: ClassVar[tuple[str, ...]] = ()  # of AWS: none
    paths: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sys/audit": ("read", "sudo"),
        "sys/audit-hash/*": ("update",),
    }

    def collect(self, clients: Vaults) -> Iterator[Item | Missed]:
        """Yield the devices, of each file its lines in the window, and the outcome."""
        tally = Tally({"files": 0, "lines": 0, "kept": 0, "untimed": 0, "marked": 0})
        devices = yield from ask(clients.client, "vault.audit", Read("GET", "sys/audit"))
        if not devices:
            tally.lacking.append("the audit devices could not be read, so no mark was hashed")
        looked = list(marks_of(self.marks))
        for path in [k.rstrip("/") for page in devices for k in page if k.endswith("/")]:
            for number, mark in enumerate(marks_of(self.marks)):
                asked = Read("POST", f"sys/audit-hash/{path}", {"input": mark})
                name = f"vault.audit-hash.{path}.{number}"
                looked += [page["hash"] for page in (yield from ask(clients.client, name, asked))]
        files: list[dict[str, Any]] = []
        for number, log in enumerate(_files(self.logs)):
            yield from self._file(f"vault.audit-log.{number:03d}", log, looked, tally, files)
        yield Item(f"{self.name}.files", JSON, as_json(files), False, "file.read")
        if not files:
            yield unsupported("none of the audit logs could be opened", tally).item(self.name)
            return
        yield ended(tally).item(self.name)

    def _file(
        self, name: str, log: Path, marks: list[str], tally: Tally, files: list[dict[str, Any]]
    ) -> Iterator[Item | Missed]:
        call = f"file {log.name}"
        with ExitStack() as open_files:
            try:
                file, before = _opened(log, open_files)
            except OSError as error:
                yield tally.miss(Missed(name, call, type(error).__name__))
                return
            window = AuditWindow(file, before, self.start, self.end, tuple(marks))
            yield Item(name, LINES, b"", True, call, window)
        tally.add("files")
        for what in ("lines", "kept", "untimed"):
            tally.add(what, getattr(window, what))
        tally.add("marked", window.marked_lines)
        told = {"item": name, "file": log.name, "lines": window.lines, "kept": window.kept}
        whole = {"size": window.size, "sha256": window.whole.hexdigest()}
        files.append(told | {"whole": whole})
        if window.untimed:
            tally.notes.append(f"{window.untimed} lines of {name} have no time, and are kept")
        if window.broken:
            tally.lacking.append(f"{name} ends early: {window.broken}")
        if window.marked:
            text = as_json(window.marked)
            yield Item(f"{name}.lines", JSON, text, True, call)
        if window.marked_lines > len(window.marked):
            tally.lacking.append(f"{name}.lines ends after {MOST_MARKED} bytes; the log has all")


def _files(logs: tuple[str, ...]) -> Iterator[Path]:
    for log in map(Path, logs):
        if log.is_dir():
            yield from sorted(path for path in log.iterdir() if path.is_file())
        else:
            yield log


def _opened(log: Path, files: ExitStack) -> tuple[BinaryIO, os.stat_result]:
    # A pipe that nobody writes to must not hold the collection up.
    descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    file: BinaryIO = files.enter_context(os.fdopen(descriptor, "rb"))
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise IsADirectoryError("no file")
    packed = file.read(2) == _GZIP
    file.seek(0)
    if packed:
        unpacked: Any = files.enter_context(gzip.GzipFile(fileobj=file))
        return unpacked, before
    return file, before
