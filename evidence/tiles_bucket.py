"""A bucket in which the ledger is published.

Tiles are put only where there are none, and the checkpoint only in place of the one that was read
(Amazon S3 User Guide, "Conditional writes").
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError

from evidence.errors import StoreRefusedError, TilesError
from evidence.s3_bucket import Bucket
from evidence.tiles import CHECKPOINT, Tile

# Of a write whose condition does not hold, or that came at the same time as another one.
TAKEN = ("PreconditionFailed", "ConditionalRequestConflict")


@dataclass(frozen=True, slots=True)
class TilesBucket:
    """A `tiles_publish.Place` in a bucket, below its prefix."""

    bucket: Bucket

    def read(self, path: str) -> bytes | None:
        """Return an object's bytes, None where there is none."""
        found = self._get(path)
        return None if found is None else found[0]

    def create(self, path: str, data: bytes) -> None:
        """Put an object that never changes; one that is there must be the same."""
        try:
            self._put(path, data, IfNoneMatch="*")
        except StoreRefusedError as error:
            if error.code not in TAKEN:
                raise TilesError(str(error)) from error
            if self.read(path) != data:
                raise TilesError(
                    f"{path} is published in bucket {self.bucket.name} and is another one; a tile "
                    "never changes. Publish below a new prefix, and find out who wrote this one"
                ) from None

    def replace(self, path: str, data: bytes, was: bytes | None) -> None:
        """Put an object in place of what it `was`."""
        found = self._get(path)
        if (None if found is None else found[0]) != was:
            raise TilesError(f"{path} was published by somebody else meanwhile")
        condition = {"IfNoneMatch": "*"} if found is None else {"IfMatch": found[1]}
        try:
            self._put(path, data, **condition)
        except StoreRefusedError as error:
            raise TilesError(str(error)) from error

    def drop(self, tile: Tile) -> None:
        """Delete the partial tiles of one that is full, where the role may."""
        try:
            page = self.bucket.call("list_objects_v2", Prefix=f"{self.bucket.prefix}{tile.stem}.p/")
            for one in page.get("Contents", ()):
                self.bucket.call("delete_object", Key=one["Key"])
        except StoreRefusedError as error:
            # They only take up room.
            if error.code != "AccessDenied":
                raise TilesError(str(error)) from error

    def _get(self, path: str) -> tuple[bytes, str] | None:
        try:
            found = self.bucket.call("get_object", Key=f"{self.bucket.prefix}{path}")
        except StoreRefusedError as error:
            if error.code == "NoSuchKey":
                return None
            raise TilesError(str(error)) from error
        try:
            return found["Body"].read(), str(found["ETag"])
        except BotoCoreError as error:
            raise TilesError(f"{path} broke off: {type(error).__name__}; try again") from error

    def _put(self, path: str, data: bytes, **condition: Any) -> None:
        text = path == CHECKPOINT
        self.bucket.call(
            "put_object",
            Key=f"{self.bucket.prefix}{path}",
            Body=data,
            ContentType="text/plain; charset=utf-8" if text else "application/octet-stream",
            CacheControl="no-store" if text else "max-age=31536000, immutable",
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            **condition,
        )
