"""One secret of a KV engine, version 2: what it is made of, and its versions without values."""

from typing import Any

from hvac import exceptions

from actions.errors import TargetGoneError
from actions.vault.clients import Vault


def metadata(p: Vault, mount: str, path: str) -> dict[str, Any] | None:
    """Return current_version, versions and custom_metadata, or None when there is no secret.

    Source: Vault API docs, "KV secrets engine - version 2", "Read secret metadata".
    """
    return p.get(f"{mount}/metadata/{path}")


def needed(p: Vault, mount: str, path: str) -> dict[str, Any]:
    """Return the metadata. Raise TargetGoneError when there is no such secret."""
    found = metadata(p, mount, path)
    if found is None:
        raise TargetGoneError(f"secret {mount}/{path} does not exist (any more).")
    return found


def values(p: Vault, mount: str, path: str, version: int) -> dict[str, Any]:
    """Return the fields of a version, which are secret; none of one that was deleted or never was.

    They go from Vault to Vault: never into a state, a result, an error or a log.
    """
    if version == 0:
        return {}
    try:
        answer = p.client.secrets.kv.v2.read_secret_version(
            path, version=version, mount_point=mount, raise_on_deleted_version=True
        )
    except exceptions.InvalidPath:
        return {}
    return dict(answer["data"]["data"] or {})


def note(p: Vault, mount: str, path: str, notes: dict[str, str]) -> None:
    """Add to the secret's custom metadata, which hvac would replace, with its other settings."""
    kept = dict((metadata(p, mount, path) or {}).get("custom_metadata") or {})
    p.post(f"{mount}/metadata/{path}", {"custom_metadata": kept | notes})
