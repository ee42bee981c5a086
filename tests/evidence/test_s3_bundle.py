"""A case kept in a bucket is exported and verified as one in a folder, and is the same case."""

import json
import random
from pathlib import Path

import pytest

from evidence.custody import fixity
from evidence.custody.disposal import erase, refuse_unerasable
from evidence.custody.opening import content
from evidence.custody.record import view
from evidence.errors import LockerError
from evidence.jws_token import take_apart
from evidence.locker import Locker
from evidence.manifest import TYP, read_manifest
from evidence.sources.item import Item
from evidence.verify import verify_bundle as verify
from tests.evidence.bucket import PART, rig, service
from tests.evidence.chamber import CASE, USER_DATA, Chamber, describe, fill, make_chamber

__all__ = ["rig", "service"]

MEMORY = random.Random(5).randbytes(PART + 5)
LARGE = Item("memory.lime", "application/octet-stream", MEMORY, False, "file")
LARGE_SECRET = Item("disk.raw", "application/octet-stream", MEMORY[::-1], True, "file")


class ByLength:
    """Chance that does not depend on what else was drawn: each length has a sequence of its own."""

    def __init__(self):
        self.drawn = {}

    def __call__(self, count):
        return self.drawn.setdefault(count, random.Random(count)).randbytes(count)


@pytest.fixture
def pair(tmp_path, rig):
    """The same case twice: in a folder, and in a bucket."""
    made = []
    for name in ("folder", "bucket"):
        (tmp_path / name).mkdir()
        made.append(make_chamber(tmp_path / name))
    one, two = made
    two.log, two.signer, two.wrap = one.log, one.signer, one.wrap
    one.locker = Locker(one.folder / "locker", ByLength())
    two.locker = rig.store(ByLength())
    for chamber in made:
        fill(chamber)
        for item in (LARGE, LARGE_SECRET):
            chamber.keep(item)
        chamber.integrate()
    yield made
    for chamber in made:
        chamber.engine.dispose()


def manifests(bundle: Path):
    """Return the manifests of a bundle by artifact."""
    found = [
        read_manifest(take_apart(path.read_text(), TYP).payload)
        for path in (bundle / "data/custody/manifests").iterdir()
    ]
    return {one.artifact_id: one for one in found}


def without_place(manifest):
    members = {n: getattr(manifest, n) for n in manifest.__slots__}
    return members | {"stored_version": None, "parts": ()}


def kept(chamber: Chamber):
    with chamber.begin() as conn:
        return view(conn, CASE)


def test_the_bundle_has_the_same_bytes_but_for_what_the_store_calls_them(pair, rig):
    one, two = (chamber.export() for chamber in pair)
    trust = pair[0].trust
    verdicts = [verify(path, trust) for path in (one, two)]
    assert [v.exit_code for v in verdicts] == [verdicts[0].exit_code] * 2
    stored = [sorted(p.name for p in (b / "data/artifacts").iterdir()) for b in (one, two)]
    assert stored[0] == stored[1]
    for name in stored[0]:
        same = [(bundle / "data/artifacts" / name).read_bytes() for bundle in (one, two)]
        assert same[0] == same[1]
    here, there = manifests(one), manifests(two)
    assert {id: without_place(m) for id, m in here.items()} == {
        id: without_place(m) for id, m in there.items()
    }
    assert {m.stored_version for m in here.values()} == {None}
    versions = {m.stored_version for m in there.values()}
    assert len(versions) == len(there)
    assert versions <= {version for _, version in rig.objects()}
    parted = {m.name: [part.size for part in m.parts] for m in there.values() if m.parts}
    assert parted.keys() == {LARGE.name, LARGE_SECRET.name}
    assert parted[LARGE.name] == [PART, 5]
    told = [json.loads((b / "data/case/timeline.json").read_text()) for b in (one, two)]
    for left, right in zip(*told, strict=True):
        for moment in (left, right):
            moment["body"].pop("manifest_sha256", None)
        assert left == right


def test_what_was_kept_reads_back_and_is_intact(pair):
    chamber = pair[1]
    state = kept(chamber)
    read = [b"".join(content(chamber.locker, a, chamber.wrap)) for a in state.artifacts.values()]
    assert read == [
        describe(1).data,
        describe(2).data,
        USER_DATA.data,
        LARGE.data,
        LARGE_SECRET.data,
    ]
    found = [fixity.check(chamber.locker, one).found for one in state.artifacts.values()]
    assert found == ["intact"] * 5


def test_what_is_disposed_of_cannot_be_read_and_its_bundle_still_verifies(pair, rig):
    chamber = pair[1]
    state = kept(chamber)
    sealed = [a for a in state.artifacts.values() if a.sensitive]
    for artifact in sealed:
        refuse_unerasable(state, artifact, chamber.locker)
        chamber.locker.keys.erase(artifact.stored_sha256)
        with pytest.raises(LockerError, match="has no key"):
            next(content(chamber.locker, artifact, chamber.wrap))
    assert erase(state, chamber.locker) == []
    assert (
        verify(chamber.export(), chamber.trust).exit_code
        == verify(pair[0].export(), chamber.trust).exit_code
    )
    # Nothing was deleted from the bucket: the ciphertext goes on proving its hash.
    assert not {"DeleteObject", "DeleteObjects"} & set(rig.calls)


def test_an_export_from_a_bucket_where_something_was_laid_over_is_the_same(pair, rig):
    chamber = pair[1]
    before = chamber.export("before")
    for artifact in kept(chamber).artifacts.values():
        rig.raw.put_object(Bucket=rig.name, Key=rig.key(artifact.stored_sha256), Body=b"forged")
        rig.raw.delete_object(Bucket=rig.name, Key=rig.key(artifact.manifest_sha256))
    after = chamber.export("after")
    for path in (before / "data").rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (after / path.relative_to(before)).read_bytes()
