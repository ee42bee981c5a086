"""Keeps a new access key in a KV secret: apart at first, and once it was tried where it is read."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from actions.aws.key_shape import key_in, with_key
from actions.engine import calling
from actions.errors import UnfitError
from actions.journal import Json
from actions.vault import kv_secret
from actions.vault.clients import Vault

T = TypeVar("T")
# A KV engine has no version that waits: a new key waits beside the secret that consumers read.
WAITING = ".stanch-waiting"


class InVault:
    """Version 2 of a KV engine. A key id tells which key is there; marks are not needed for that.

    Vault API docs, "KV secrets engine - version 2": "Create/Update secret" (check-and-set), "Delete
    metadata and all versions". Vault's errors come out as ours.
    """

    def __init__(self, vault: Vault, mount: str, path: str) -> None:
        self._vault = vault
        self._mount = mount
        self._path = path

    def free(self) -> None:
        if self._now() == 0:
            raise UnfitError(
                f"there is no secret {self._mount}/{self._path} in Vault {self._vault.name} to put "
                "a key into. Write a first version, in the shape that its consumers read."
            )

    def frame(self) -> Mapping[str, Json]:
        return self._values(self._path)

    def holds(self, mark: str, key_id: str) -> bool:
        return any(key_in(self._values(path))[0] == key_id for path in self._paths)

    def put(self, mark: str, frame: Mapping[str, Json], key_id: str, secret: str) -> None:
        self._write(self._paths[0], with_key(frame, key_id, secret))

    def held(self, mark: str, key_id: str) -> tuple[str, str]:
        found = [key_in(self._values(path)) for path in self._paths]
        return next((key for key in found if key[0] == key_id), ("", ""))

    def publish(self, mark: str, key_id: str) -> None:
        waiting, read = self._paths
        now = self._now()
        if key_in(self._values(read))[0] != key_id:
            # Only over the version that was just read: nobody's change is written over.
            self._write(read, with_key(self._values(read), *self.held(mark, key_id)), now)
        kv = self._vault.client.secrets.kv.v2
        self._call(lambda: kv.delete_metadata_and_all_versions(waiting, mount_point=self._mount))

    def version(self, mark: str, key_id: str) -> str | None:
        waiting, read = self._paths
        if key_in(self._values(read))[0] != key_id or self._values(waiting):
            return None
        return str(self._now())

    @property
    def _paths(self) -> tuple[str, str]:
        return f"{self._path}{WAITING}", self._path

    def _now(self) -> int:
        found = self._call(lambda: kv_secret.metadata(self._vault, self._mount, self._path))
        return int(found["current_version"]) if found else 0

    def _values(self, path: str) -> dict[str, Json]:
        def read() -> dict[str, Json]:
            found = kv_secret.metadata(self._vault, self._mount, path)
            version = int(found["current_version"]) if found else 0
            return kv_secret.values(self._vault, self._mount, path, version)

        return self._call(read)

    def _write(self, path: str, values: Mapping[str, Json], cas: int | None = None) -> None:
        kv = self._vault.client.secrets.kv.v2
        self._call(
            lambda: kv.create_or_update_secret(path, values, cas=cas, mount_point=self._mount)
        )

    def _call(self, do: Callable[[], T]) -> T:
        return calling(self._vault, do)
