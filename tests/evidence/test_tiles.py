"""What is published is always a whole tree, and who follows it notices each other history."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import merkle, tiles
from evidence.errors import ForkError, TilesError
from evidence.note import open_checkpoint
from evidence.s3_bucket import Bucket
from evidence.tiles import Tile
from evidence.tiles_bucket import TilesBucket
from evidence.tiles_folder import TilesFolder
from evidence.tiles_publish import Place
from tests.evidence.chamber import make_chamber
from tests.evidence.cloud import ACCOUNT, client, moto_server
from tests.evidence.publishing import follows, grow, published, restored


class Client:
    """A client of C2SP tlog-tiles that knows nothing of the publisher: files, and RFC 6962."""

    def __init__(self, root: Path, size: int) -> None:
        self.root, self.size = root, size

    def tile(self, level: str | int, index: int) -> bytes:
        high = 0 if level == "entries" else int(level)
        width = min((self.size >> 8 * high) - 256 * index, 256)
        digits = f"{index:03}" if index < 1000 else f"x{index // 1000:03}/{index % 1000:03}"
        name = f"tile/{level}/{digits}"
        if width < 256 and (self.root / f"{name}.p").exists():
            name += f".p/{width}"
        return (self.root / name).read_bytes()

    def leaves(self) -> list[bytes]:
        found: list[bytes] = []
        for index in range(-(-self.size // 256)):
            data, at = self.tile("entries", index), 0
            while at < len(data) and len(found) < self.size:
                length = int.from_bytes(data[at : at + 2], "big")
                found.append(data[at + 2 : at + 2 + length])
                at += 2 + length
        return found

    def node(self, level: int, index: int) -> bytes:
        high, low = divmod(level, 8)
        first, count = index << low, 1 << low
        data = self.tile(high, first // 256)
        hashes = [data[32 * (first % 256 + n) :][:32] for n in range(count)]
        while len(hashes) > 1:
            hashes = [
                hashlib.sha256(b"\x01" + one + other).digest()
                for one, other in zip(hashes[::2], hashes[1::2], strict=True)
            ]
        return hashes[0]


def test_the_names_of_tiles():
    assert Tile(0, 5, 256).path == "tile/0/005"
    assert Tile(None, 5, 7).path == "tile/entries/005.p/7"
    assert Tile(2, 70_001_234, 256).path == "tile/2/x070/x001/234"
    assert Tile(None, 1000, 255).path == "tile/entries/x001/000.p/255"


@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=6))
def test_each_growth_adds_just_the_tiles_that_it_needs(sizes):
    # What stands at a size is what all growths before it added.
    *earlier, size = sorted(sizes)
    size = min(size, (1 << 16) + 300)
    seen, since = set(), 0
    for step in [min(one, size) for one in earlier] + [size]:
        new = {tile.path for tile in tiles.tiles_of(step, since)}
        assert new.isdisjoint(seen)
        seen |= new
        since = step
    assert seen >= {tile.path for tile in tiles.tiles_of(size)}
    for tile in tiles.tiles_of(size):
        assert 1 <= tile.width <= 256


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_tile_of_entries_reads_as_it_was_written(entries):
    data = tiles.write_bundle(entries)
    assert tiles.read_bundle(data) == entries
    if data:
        with pytest.raises(TilesError):
            tiles.read_bundle(data + b"\x01")


def test_an_entry_too_long_for_its_length_is_refused():
    tiles.write_bundle([bytes(65535)])
    with pytest.raises(TilesError, match="65536 bytes"):
        tiles.write_bundle([bytes(65536)])


def test_the_root_follows_from_the_tiles_alone(grown):
    chamber, folder, notes = grown
    head = open_checkpoint((folder / "checkpoint").read_text(), chamber.log.verifier)
    assert head.size == 600
    assert (folder / "checkpoint").read_text() == notes[-1]
    seen = Client(folder, head.size)
    hashes = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in seen.leaves()]
    assert merkle.root_of(hashes) == head.root
    assert merkle.fold(merkle.peaks_of(head.size, seen.node)) == head.root
    for index in (0, 255, 256, 511, 599):
        path = merkle.inclusion_proof(index, head.size, seen.node)
        merkle.verify_inclusion(hashes[index], index, head.size, path, head.root)
    for note in notes:
        old = open_checkpoint(note, chamber.log.verifier)
        path = merkle.consistency_proof(old.size, head.size, seen.node)
        merkle.verify_consistency(old.size, head.size, old.root, head.root, path)


def test_partial_tiles_go_when_the_full_one_is_there_and_older_heads_still_have_their_tiles(grown):
    chamber, folder, notes = grown
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert names == {
        "checkpoint",
        *(f"tile/{kind}/{n}" for kind in ("0", "entries") for n in ("000", "001", "002.p/88")),
        "tile/1/000.p/1",
        "tile/1/000.p/2",
    }
    for note in notes:
        old = open_checkpoint(note, chamber.log.verifier)
        assert merkle.fold(merkle.peaks_of(old.size, Client(folder, old.size).node)) == old.root


def test_no_leaf_tells_what_happened(grown):
    _, folder, _ = grown
    leaves = b"".join(Client(folder, 600).leaves())
    assert leaves.count(b'"kind":"change"') == 600
    for word in (b"INC-", b'"n"', b"alice"):
        assert word not in leaves


@dataclass
class Breaking:
    """A place that breaks off at the so-manieth write, before or after it."""

    place: Place
    left: int
    after: bool

    def read(self, path: str) -> bytes | None:
        return self.place.read(path)

    def create(self, path: str, data: bytes) -> None:
        self._breaking(lambda: self.place.create(path, data))

    def replace(self, path: str, data: bytes, was: bytes | None) -> None:
        self._breaking(lambda: self.place.replace(path, data, was))

    def drop(self, tile: Tile) -> None:
        self._breaking(lambda: self.place.drop(tile))

    def _breaking(self, write: Callable[[], None]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KeyboardInterrupt
        write()
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_broken_off_anywhere_it_is_a_whole_tree_and_goes_on(tmp_path, after):
    chamber = make_chamber(tmp_path)
    before = grow(chamber, 250)
    heads = {before.note}
    start = tmp_path / "start"
    published(chamber, TilesFolder(start), before)
    signed = grow(chamber, 10)
    heads.add(signed.note)
    for number in range(1, 10):
        folder = Path(shutil.copytree(start, tmp_path / f"at-{number}"))
        place = TilesFolder(folder)
        try:
            published(chamber, Breaking(place, number, after), signed)
        except KeyboardInterrupt:
            assert follows(chamber, folder, before.note) in heads
            published(chamber, place, signed)
        assert follows(chamber, folder, before.note) == signed.note
    chamber.engine.dispose()


def test_a_tile_that_was_altered_is_never_written_over(tmp_path):
    chamber = make_chamber(tmp_path)
    folder = tmp_path / "public"
    signed = grow(chamber, 10)
    (folder / "tile/0/000.p").mkdir(parents=True)
    (folder / "tile/0/000.p/10").write_bytes(b"planted")
    with pytest.raises(TilesError, match=r"tile/0/000\.p/10 is published and is another one"):
        published(chamber, TilesFolder(folder), signed)
    assert (folder / "tile/0/000.p/10").read_bytes() == b"planted"
    assert not (folder / "checkpoint").exists()
    assert not list(folder.rglob(".new-*"))
    chamber.engine.dispose()


def test_a_restored_old_ledger_is_not_published_over_the_newer_one(forked):
    _, past, folder, signed = forked
    place = TilesFolder(folder)
    with pytest.raises(ForkError, match="320 entries were published but the ledger's head holds 2"):
        published(past, place, grow(past, 1))
    with pytest.raises(ForkError, match="first 320 entries are not those that were published"):
        published(past, place, grow(past, 400))
    assert (folder / "checkpoint").read_text() == signed.note
    assert follows(past, folder) == signed.note


def test_another_log_is_not_published_there(forked, tmp_path):
    _, _, folder, _ = forked
    other = make_chamber(tmp_path / "other")
    other.log = replace(other.log, verifier=replace(other.log.verifier, name="other.example"))
    with pytest.raises(ForkError, match=r"there lies the log 'log\.example/custody/v1'"):
        published(other, TilesFolder(folder), grow(other, 500))
    other.engine.dispose()


def test_two_that_publish_at_once_never_go_back(tmp_path):
    chamber = make_chamber(tmp_path)
    place = TilesFolder(tmp_path / "public")
    first, second = grow(chamber, 3), grow(chamber, 3)

    class Late(Breaking):
        def replace(self, path: str, data: bytes, was: bytes | None) -> None:
            published(chamber, place, second)
            super().replace(path, data, was)

    with pytest.raises(TilesError, match="published by somebody else meanwhile"):
        published(chamber, Late(place, 0, False), first)
    assert follows(chamber, tmp_path / "public") == second.note
    chamber.engine.dispose()


@pytest.fixture(scope="module")
def cloud():
    with moto_server() as endpoint:
        yield client("s3", endpoint, "us-east-1")


def test_a_bucket_holds_what_a_folder_holds(cloud, tmp_path):
    cloud.create_bucket(Bucket="public-log")
    place = TilesBucket(Bucket("public-log", "log/", ACCOUNT, lambda: cloud))
    chamber = make_chamber(tmp_path)
    past = None
    for count in (3, 250, 300):
        signed = grow(chamber, count)
        past = past or restored(chamber)
        for one in (place, TilesFolder(tmp_path / "public")):
            assert published(chamber, one, signed)
            assert not published(chamber, one, signed)
    mirror = tmp_path / "mirror"
    for one in cloud.list_objects_v2(Bucket="public-log")["Contents"]:
        path = mirror / one["Key"].removeprefix("log/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cloud.get_object(Bucket="public-log", Key=one["Key"])["Body"].read())
    names = [{p.relative_to(d) for p in d.rglob("*")} for d in (mirror, tmp_path / "public")]
    assert names[0] == names[1]
    assert follows(chamber, mirror) == signed.note
    with pytest.raises(ForkError):
        published(past, place, grow(past, 1))
    cloud.put_object(Bucket="public-log", Key="log/tile/0/002.p/42", Body=b"planted")
    with pytest.raises(TilesError, match="is another one"):
        published(chamber, place, grow(chamber, 1))
    with pytest.raises(TilesError, match="somebody else"):
        place.replace("checkpoint", b"x", b"y")
    for engine in (past.engine, chamber.engine):
        engine.dispose()


def test_a_bucket_that_is_not_there_is_named(cloud, tmp_path):
    chamber = make_chamber(tmp_path)
    place = TilesBucket(Bucket("no-such-log", "", ACCOUNT, lambda: cloud))
    with pytest.raises(TilesError, match="NoSuchBucket"):
        published(chamber, place, grow(chamber, 1))
    chamber.engine.dispose()
