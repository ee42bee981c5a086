"""Keep takes a stream as it takes bytes: stored to its end, with what it did not give on record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from evidence import jws
from evidence.manifest import TYP, read_manifest
from evidence.manifest_values import Gap
from evidence.sources.item import Item
from playbooks.case.case import Case
from tests.playbooks.case.test_approvals import tagging
from tests.playbooks.scene import Scene, apart

if TYPE_CHECKING:
    from playbooks.case.answers import Kept


@dataclass
class Short:
    """A stream that changed while it was read, and ended early; it is read when it is stored."""

    left: list[bytes] = field(default_factory=lambda: [b"one", b"two"])

    def read(self) -> bytes:
        return self.left.pop(0) if self.left else b""

    def stable(self) -> bool:
        return False

    def all_gaps(self) -> tuple[Gap, ...]:
        return (Gap(6, 4, "ReadTimeoutError"),)


@dataclass(frozen=True)
class Source:
    account: str
    region: str
    name: str = "test_facts"

    def collect(self, reading: Any) -> Iterator[Any]:
        kind = "application/octet-stream"
        yield Item("disk", kind, b"", True, "s3.get_object", Short())


@apart
def test_a_stream_is_kept_with_its_gap_and_that_it_changed(scene: Scene) -> None:
    seen: list[Kept] = []

    async def body(case: Case) -> None:
        source = Source(case.target.account, case.target.region)
        seen.append(await case.keep(source))
        await tagging(case)

    scene.play(body)
    (stored,) = seen[0].artifacts
    parts = scene.parts
    token = parts.locker.read(stored["manifest_sha256"]).decode()
    key = parts.keys.manifest
    found = read_manifest(jws.verify(token, {key.kid: key.key.public_key()}, TYP))
    assert found.gaps == (Gap(6, 4, "ReadTimeoutError"),)
    assert not found.source_stable
    assert found.encryption is not None
    opened = parts.locker.open_sensitive(found.stored_sha256, found.encryption, parts.keys.wrap)
    assert opened == b"onetwo"
