"""What a container says of itself is taken down as it stands there; hostile ones are noted.

E01 files are made by `ewfacquirestream` where ewf-tools is installed; AFF4 ones only by us.
"""

import hashlib
import io
import random
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.sources.container import MOST_CLAIMS, MOST_TEXT, Said
from evidence.sources.container_claims import container_claims

MEDIUM = random.Random(7).randbytes(300 * 512)
MD5, SHA1 = hashlib.md5(MEDIUM).digest(), hashlib.sha1(MEDIUM).digest()


def read(data: bytes) -> Said | None:
    return container_claims(lambda at, size: data[at : at + size], len(data))


def said(data: bytes) -> dict[str, str]:
    found = read(data)
    assert found is not None
    return {claim.name: claim.value for claim in found.claims}


def section(kind: bytes, data: bytes, at: int) -> bytes:
    size = 76 + len(data)
    after = at if kind in (b"done", b"next") else at + size
    head = struct.pack("<16sQQ40x", kind, after, size)
    return head + struct.pack("<I", zlib.adler32(head)) + data


def summed(data: bytes) -> bytes:
    return data + struct.pack("<I", zlib.adler32(data))


def e01(*parts: tuple[bytes, bytes]) -> bytes:
    made = b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00"
    for kind, data in parts:
        made += section(kind, data, len(made))
    return made


HEADER = "1\r\nmain\r\nc\tn\ta\te\tt\tav\tm\r\nC-7\tE-1\tdesk\tJane Doe\tsecret\t8.1\t2026 1 2\r\n"
WHOLE = e01(
    (b"header", zlib.compress(HEADER.encode())),
    (b"volume", summed(struct.pack("<4xIIIQ1024x", 5, 64, 512, 300))),
    (b"sectors", b"\x00" * 99),
    (b"digest", summed(MD5 + SHA1 + bytes(40))),
    (b"hash", summed(MD5 + bytes(16))),
    (b"done", b""),
)


def test_an_image_tells_its_hashes_and_its_acquisition_and_no_names_of_people() -> None:
    assert said(WHOLE) == {
        "segment": "1",
        "case number": "C-7",
        "evidence number": "E-1",
        "tool version": "8.1",
        "acquired": "2026 1 2",
        "size of the medium": str(300 * 512),
        "md5 of the medium": MD5.hex(),
        "sha1 of the medium": SHA1.hex(),
    }
    found = read(WHOLE)
    assert found is not None
    assert found.notes == []
    assert "Jane" not in repr(found)
    assert "secret" not in repr(found)


def test_a_segment_that_is_not_the_last_says_so() -> None:
    found = read(e01((b"sectors", b"x"), (b"next", b"")))
    assert found is not None
    assert found.notes == ["another segment follows it, and the last one has the hashes"]


@pytest.mark.skipif(
    not shutil.which("ewfacquirestream"), reason="needs ewf-tools: apt-get install ewf-tools"
)
@pytest.mark.parametrize("form", ["encase6", "ftk"])
def test_an_image_by_libewf_tells_what_libewf_was_given(tmp_path: Path, form: str) -> None:
    command = "ewfacquirestream -q -C C-7 -e Jane -E E-1 -d sha1 -t img -f".split()
    run = subprocess.run(
        [*command, form], input=MEDIUM, cwd=tmp_path, capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told = said((tmp_path / "img.E01").read_bytes())
    assert told["md5 of the medium"] == MD5.hex()
    # FTK's images have no `digest` section.
    assert told.get("sha1 of the medium") == (SHA1.hex() if form == "encase6" else None)
    assert told["case number"] == "C-7"
    assert told["size of the medium"] == str(len(MEDIUM))


@given(st.integers(13, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_hash(at: int, flip: int) -> None:
    changed = bytearray(WHOLE)
    changed[at] ^= flip
    found = said(bytes(changed))
    true = said(WHOLE)
    hashes = ("md5 of the medium", "sha1 of the medium", "size of the medium")
    assert all(found.get(name, true[name]) == true[name] for name in hashes)


TURTLE = f"""@prefix aff4: <http://aff4.org/Schema#> .
<aff4://1> a aff4:Image ; aff4:hash "{SHA1.hex()}"^^aff4:SHA1 , "{MD5.hex()}"^^aff4:MD5 ;
  aff4:blockMapHash "{"ab" * 64}"^^aff4:SHA512 ; aff4:size 1 .
"""


def aff4(turtle: bytes = TURTLE.encode(), **more: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **more) as archive:  # type: ignore[arg-type]
        archive.writestr("container.description", "aff4://0")
        archive.writestr("aff4%3A%2F%2F1/00000000", bytes(4000))
        archive.writestr("information.turtle", turtle)
        archive.comment = b"aff4://0"
    return file.getvalue()


TRUE = {"sha1 as hash": SHA1.hex(), "md5 as hash": MD5.hex(), "sha512 as blockMapHash": "ab" * 64}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_aff4_container_tells_the_hashes_of_its_turtle(method: int) -> None:
    assert said(aff4(compression=method)) == TRUE


def test_a_container_with_64_bit_places_is_read(tmp_path: Path) -> None:
    path = tmp_path / "big.aff4"
    with path.open("wb") as file:
        # A hole of 5 GiB puts the directory beyond 32 bits; it takes no room on the disk.
        file.write(b"PK\x03\x04")
        file.seek(5 << 30)
        with zipfile.ZipFile(file, "a") as archive:
            archive.writestr("information.turtle", TURTLE)
    with path.open("rb") as file:

        def at(start: int, size: int) -> bytes:
            file.seek(start)
            return file.read(size)

        found = container_claims(at, path.stat().st_size)
    assert found is not None
    assert {claim.name: claim.value for claim in found.claims} == TRUE


def test_a_zip_archive_that_is_no_container_says_nothing() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.txt", "hello")
    assert read(file.getvalue()) is None


def test_a_small_member_that_unpacks_to_much_is_not_unpacked() -> None:
    found = read(aff4(b" " * (64 << 20), compression=zipfile.ZIP_DEFLATED))
    assert found is not None
    assert found.claims == []
    assert "over 8388608 bytes" in found.notes[0]


def test_what_a_container_says_is_bounded_and_printable() -> None:
    many = "".join(f'aff4:hash "{n:032x}"^^aff4:MD5 ;\n' for n in range(1000))
    found = read(aff4(many.encode()))
    assert found is not None
    assert len(found.claims) == MOST_CLAIMS
    assert found.notes == [f"it says more than {MOST_CLAIMS} things; the rest is left out"]
    odd = f"1\nmain\nc\tn\n\u202e\x1b[2J{'x' * 900}\tE-1\n"
    told = said(e01((b"header2", zlib.compress(odd.encode("utf-16"))), (b"done", b"")))
    assert told["case number"].isprintable()
    assert len(told["case number"]) == MOST_TEXT


@settings(max_examples=300)
@given(st.data())
def test_no_container_makes_its_reader_fail_or_read_without_end(data: st.DataObject) -> None:
    true = data.draw(st.sampled_from([WHOLE, aff4()]))
    changed = bytearray(true[: data.draw(st.integers(8, len(true)))])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(8, len(changed))) - 1
        changed[place : place + 8] = data.draw(st.binary(min_size=8, max_size=8))
    read_so_far = 0

    def at(start: int, size: int) -> bytes:
        nonlocal read_so_far
        part = bytes(changed[start : start + size])
        read_so_far += len(part) + 1
        return part

    container_claims(at, len(changed))
    assert read_so_far < 20 * len(changed) + (1 << 17)


def test_a_file_that_cannot_be_read_is_noted() -> None:
    def broken(start: int, size: int) -> bytes:
        if start:
            raise OSError(5, "Input/output error")
        return WHOLE[:size]

    found = container_claims(broken, len(WHOLE))
    assert found is not None
    assert found.notes == ["what it says of itself cannot be read: Input/output error"]
