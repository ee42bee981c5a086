"""A file that somebody else wrote is plain YAML, of which each word is what it looks like."""

import itertools
from pathlib import Path

import pytest

from playbooks.duties.errors import FactError
from playbooks.duties.yaml_given import LARGEST, yaml_given

LETTERS = "abcdefghijklmnopqrstu"
BOMB = "a: &a [1, 1]\n" + "".join(
    f"{now}: &{now} [*{was}, *{was}]\n" for was, now in itertools.pairwise(LETTERS)
)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "facts.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("facts: {residents: {CA: 501, CA: 5}}", "CA is given twice"),
        ("facts: " + "[" * 50_000, "levels within each other"),
        ("facts: {role: &r [*r]}", "stands in itself"),
        (BOMB, "aliases"),
        ("facts: {role: controller", "not YAML"),
        ("facts: {risk: !!python/object/apply:os.system [id]}", "not YAML"),
        ("persons: !!int " + "9" * 5000, "not YAML"),
        (b"\x80\x98", "UTF-8"),
        (b"#" * (LARGEST + 1), "larger than"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plain_yaml_is_refused(
    tmp_path: Path, text: str | bytes, says: str
) -> None:
    with pytest.raises(FactError, match=says):
        yaml_given(written(tmp_path, text), FactError)


def test_words_of_a_file_stay_what_they_are(tmp_path: Path) -> None:
    text = (
        "{a: NO, b: 0501, c: 16:30, d: 2026-02-30, e: yes, f: true, g: 7, h: 1_000, i: , j: .nan}"
    )
    assert yaml_given(written(tmp_path, text), FactError) == {
        "a": "NO", "b": "0501", "c": "16:30", "d": "2026-02-30", "e": "yes", "f": True, "g": 7,
        "h": "1_000", "i": None, "j": ".nan",
    }  # fmt: skip
