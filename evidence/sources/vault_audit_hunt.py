"""Finds every line of a Vault's audit logs that a leaked secret stands in, without keeping it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from evidence.sources.item import Item, Missed
from evidence.sources.vault_ask import VAULT, Read, Vaults, ask, item


@dataclass(frozen=True, slots=True)
class VaultAuditHunt:
    """Look for a secret's hash, device by device, in copies of the devices' logs.

    `account` is the Vault's name, `logs` are files with one line an entry, and `secret` gives the
    value (a token, an accessor, a password) when it is called: it goes to Vault, to be hashed with
    each device's salt, and nowhere else. What was binary is in the log, and so given, in base64. A
    device that was turned off took its salt with it: what it wrote until then cannot be searched
    (Vault API docs, "/sys/audit-hash", "/sys/audit").
    """

    account: str
    logs: tuple[str, ...]
    secret: Callable[[], str] = field(repr=False, compare=False)
    region: str = VAULT

    name: ClassVar[str] = "vault_audit_hunt"
    permissions: ClassVar[tuple[str, ...]] = ()  # of AWS: none
    paths: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "sys/audit": ("read", "sudo"),
        "sys/audit-hash/*": ("update",),
    }

    def collect(self, clients: Vaults) -> Iterator[Item | Missed]:
        """Yield the devices, then an item for each log: the lines that carried the secret."""
        client = clients.client
        devices = yield from ask(client, "vault.audit", Read("GET", "sys/audit"))
        paths = [k.rstrip("/") for page in devices for k in page if k.endswith("/")]
        hashes: dict[str, str] = {}
        for path in paths:
            asked = Read("POST", f"sys/audit-hash/{path}", {"input": self.secret()})
            pages = yield from ask(client, f"vault.audit-hash.{path}", asked)
            hashes |= {page["hash"]: path for page in pages}
        for number, log in enumerate(self.logs):
            yield _lines(f"vault.audit-lines.{number}", Path(log), hashes)


def _lines(name: str, log: Path, hashes: Mapping[str, str]) -> Item | Missed:
    """Return the lines of one file that hold one of the hashes, with their numbers from 1."""
    call = f"file {log.name}"
    try:
        with log.open(encoding="utf-8", errors="backslashreplace") as text:
            found = [
                {"device": path, "line": number, "text": line.rstrip("\n")}
                for number, line in enumerate(text, 1)
                for path in sorted({hashes[h] for h in hashes if h in line})
            ]
    except OSError as error:
        return Missed(name, call, type(error).__name__)
    return item(name, call, {"file": log.name, "devices": sorted(hashes.values())}, found)
