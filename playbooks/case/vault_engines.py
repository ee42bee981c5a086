"""What a Vault's secrets engines hold that somebody could have got at: names, never values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actions.engine import calling
from actions.errors import ProviderError
from actions.vault.clients import Vault

# What is listed; for `stanch permissions --vault`. A path to be listed ends in a slash.
READS = {
    "sys/mounts": ("read",),
    "sys/policies/acl/+": ("read",),
    "{database}/roles/": ("list",),
    "{database}/static-roles/": ("list",),
    "{database}/static-roles/+": ("read",),
    "{database}/config/": ("list",),
    "{aws}/roles/": ("list",),
    "{aws}/roles/+": ("read",),
    "{aws}/config/root": ("read",),
    "{transit}/keys/": ("list",),
    "{transit}/keys/+": ("read",),
    "{pki}/roles/": ("list",),
    "{kv}/metadata/*": ("list",),
}
# Secrets of one Vault that are told of one by one; whoever has more is told how many are left.
MOST = 500


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of an engine: `kind` is lease, static, connection, aws_root, sts, transit, kv, pki.

    `reached` is the API path by which it is got, with the capability that this takes; `about` is
    what its act must know: a time of rotation, a version, a key's id, a role's ARN.
    """

    kind: str
    mount: str
    name: str
    reached: tuple[str, str]
    about: str = ""


def things(p: Vault) -> tuple[list[Thing], list[str]]:
    """Return all that the engines hold, and what could not be read. Raises ProviderError."""
    mounts = calling(p, p.client.sys.list_mounted_secrets_engines)["data"]
    found, missed = list[Thing](), list[str]()
    for path, told in sorted(mounts.items()):
        engine = ENGINES.get(str(told["type"]))
        mount = path.rstrip("/")
        if engine is None:
            continue
        if told["type"] == "kv" and (told.get("options") or {}).get("version") != "2":
            missed.append(f"{mount}: secrets of KV version 1 are not told apart")
            continue
        try:
            found += calling(p, lambda engine=engine, mount=mount: list(engine(p, mount)))  # type: ignore[misc]
        except ProviderError as error:
            missed.append(f"{mount}: {error.operation} {error.code}")
    return found, missed


def _database(p: Vault, mount: str) -> Iterator[Thing]:
    for name in p.names(f"{mount}/roles"):
        yield Thing("lease", mount, f"creds/{name}", (f"{mount}/creds/{name}", "read"))
    for name in p.names(f"{mount}/static-roles"):
        told = p.get(f"{mount}/static-roles/{name}") or {}
        rotated = str(told.get("last_vault_rotation", ""))
        yield Thing("static", mount, name, (f"{mount}/static-creds/{name}", "read"), rotated)
    for name in p.names(f"{mount}/config"):
        yield Thing("connection", mount, name, (f"{mount}/config/{name}", "update"))


def _aws(p: Vault, mount: str) -> Iterator[Thing]:
    for name in p.names(f"{mount}/roles"):
        told = p.get(f"{mount}/roles/{name}") or {}
        if told.get("credential_type") == "iam_user":
            yield Thing("lease", mount, f"creds/{name}", (f"{mount}/creds/{name}", "read"))
            continue
        # With a lease or without one: a session ends in AWS alone.
        for way in ((f"{mount}/sts/{name}", "update"), (f"{mount}/creds/{name}", "read")):
            yield Thing("lease", mount, f"{way[0].removeprefix(f'{mount}/')}", way)
            for arn in told.get("role_arns") or ():
                yield Thing("sts", mount, name, way, str(arn))
    root: Mapping[str, Any] = p.get(f"{mount}/config/root") or {}
    if key := root.get("access_key"):
        yield Thing("aws_root", mount, "root", (f"{mount}/config/root", "update"), str(key))


def _transit(p: Vault, mount: str) -> Iterator[Thing]:
    for name in p.names(f"{mount}/keys"):
        version = str((p.get(f"{mount}/keys/{name}") or {}).get("latest_version", 1))
        for use in ("decrypt", "sign", "hmac", "rewrap"):
            yield Thing("transit", mount, name, (f"{mount}/{use}/{name}", "update"), version)
        for kind in ("encryption-key", "signing-key", "hmac-key"):
            way = (f"{mount}/export/{kind}/{name}", "read")
            yield Thing("transit", mount, name, way, version)


def _pki(p: Vault, mount: str) -> Iterator[Thing]:
    for name in p.names(f"{mount}/roles"):
        yield Thing("pki", mount, name, (f"{mount}/issue/{name}", "update"))


def _kv(p: Vault, mount: str) -> Iterator[Thing]:
    todo, count = [""], 0
    while todo and count < MOST:
        folder = todo.pop()
        for name in p.names(f"{mount}/metadata/{folder}"):
            if name.endswith("/"):
                todo.append(folder + name)
            else:
                count += 1
                yield Thing("kv", mount, folder + name, (f"{mount}/data/{folder}{name}", "read"))


ENGINES = {"database": _database, "aws": _aws, "transit": _transit, "pki": _pki, "kv": _kv}
