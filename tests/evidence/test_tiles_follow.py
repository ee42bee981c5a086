"""Whoever follows what is published notices another history, and whatever was altered."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from evidence.__main__ import main
from evidence.cosignature import cosign
from evidence.errors import MissingTileError, NoteError, TilesError
from evidence.note import checkpoint_text
from evidence.tiles_folder import TilesFolder
from tests.evidence.chamber import Chamber, make_chamber
from tests.evidence.publishing import follows, grow, published
from tests.evidence.test_verify_witnesses import KEYS, TWO_OF_THREE, WITNESSES


class TestFollowing:
    def run(self, chamber: Chamber, folder: Path, capsys) -> tuple[int, str]:
        trust = str(chamber.write_trust())
        last = str(chamber.folder / "last")
        (chamber.folder).chmod(0o700)
        code = main(["follow", str(folder), "--trust", trust, "--last", last])
        return code, capsys.readouterr().out

    def test_a_ledger_that_only_grows_is_valid_but_unwitnessed(self, tmp_path, capsys):
        chamber = make_chamber(tmp_path)
        folder = tmp_path / "public"
        said = ("the first look", "it goes on from", "it goes on from")
        for count, words in zip((3, 300, 1), said, strict=True):
            published(chamber, TilesFolder(folder), grow(chamber, count))
            code, out = self.run(chamber, folder, capsys)
            assert (code, words in out) == (3, True), out
        assert self.run(chamber, folder, capsys)[0] == 3
        chamber.engine.dispose()

    def test_a_fork_is_found_and_both_notes_are_kept(self, forked, capsys):
        chamber, past, folder, signed = forked
        assert self.run(chamber, folder, capsys)[0] == 3
        other = folder.with_name("other")
        rewritten = grow(past, 500)
        published(past, TilesFolder(other), rewritten)
        code, out = self.run(chamber, other, capsys)
        assert (code, "its history was rewritten" in out) == (1, True), out
        assert (chamber.folder / "last").read_text() == signed.note
        assert (chamber.folder / "last.fork").read_text() == rewritten.note
        # What was accepted before is still what others are held against.
        assert self.run(chamber, other, capsys)[0] == 1
        assert self.run(chamber, folder, capsys)[0] == 3

    def test_a_fork_of_the_same_size_is_found(self, forked, capsys):
        chamber, past, folder, _ = forked
        assert self.run(chamber, folder, capsys)[0] == 3
        other = folder.with_name("other")
        published(past, TilesFolder(other), grow(past, 300))
        assert self.run(chamber, other, capsys)[0] == 1

    def test_a_rollback_is_found(self, forked, capsys):
        chamber, past, folder, _ = forked
        assert self.run(chamber, folder, capsys)[0] == 3
        other = folder.with_name("other")
        published(past, TilesFolder(other), grow(past, 1))
        code, out = self.run(chamber, other, capsys)
        assert (code, "holds 21 entries, but held 320: it was cut" in out) == (1, True), out

    def test_without_trust_nothing_is_judged(self, forked, capsys):
        chamber, _, folder, _ = forked
        last = str(chamber.folder / "last")
        for content in ("{}", "[]", "x"):
            path = chamber.folder / "bad.json"
            path.write_text(content)
            assert main(["follow", str(folder), "--trust", str(path), "--last", last]) == 4

    @pytest.mark.parametrize(("count", "code"), [(1, 3), (2, 0)])
    def test_it_is_valid_when_the_trusted_quorum_cosigned(
        self, forked, tmp_path, capsys, count, code
    ):
        chamber, _, folder, signed = forked
        text = checkpoint_text(signed.checkpoint)
        lines = "".join(cosign(text, one, 1_790_000_000) for one in WITNESSES[:count])
        # Cosignatures that come later are published, too.
        place = TilesFolder(folder)
        assert published(chamber, place, replace(signed, note=signed.note + lines))
        trust = chamber.trust | {"witnesses": KEYS, "policy": TWO_OF_THREE}
        path = tmp_path / "trust.json"
        path.write_text(json.dumps(trust))
        last = str(chamber.folder / "last")
        assert main(["follow", str(folder), "--trust", str(path), "--last", last]) == code


def altered(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    "name",
    [
        "tile/0/000",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/88",
        "checkpoint",
    ],
)
def test_whatever_is_altered_or_missing_is_named(grown, tmp_path, name):
    chamber, original, _ = grown
    folder = Path(shutil.copytree(original, tmp_path / "copy"))
    path = folder / name
    good = path.read_bytes()
    path.write_bytes(altered(good))
    with pytest.raises((TilesError, NoteError)) as refused:
        follows(chamber, folder)
    assert not isinstance(refused.value, MissingTileError)
    # An altered entry may be named by its tile, or by that of its hash.
    assert {name, name.replace("entries", "0")} & set(re.split("[: ]", str(refused.value))) or (
        name == "checkpoint"
    )
    path.write_bytes(good[:-40])
    with pytest.raises((TilesError, NoteError)):
        follows(chamber, folder)
    path.unlink()
    with pytest.raises(MissingTileError, match="is missing"):
        follows(chamber, folder)
    path.symlink_to(original / name)
    with pytest.raises(TilesError, match="cannot be read"):
        follows(chamber, folder)
