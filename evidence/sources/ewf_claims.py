"""What an EWF-E01 disk image says of itself: MD5 and SHA-1 of the medium, and how it was acquired.

A file (a segment) is a header of 13 bytes and sections; a section begins with 76 bytes: its type,
the offset of the next section, its size, and an Adler-32 over those. The hashes stand in `hash` and
`digest` of the last segment and are of the medium, so never equal the file's (Joachim Metz,
"Expert Witness Compression Format specification").

Of the header, case and evidence number, date and tool are taken; the examiner, the description and
the notes tell of people, and a manifest's claims can never be erased.
"""

import struct
import zlib

from evidence.sources.container import MalformedError, ReadAt, Said, exactly

E01, L01 = b"EVF\x09\x0d\x0a\xff\x00", b"LVF\x09\x0d\x0a\xff\x00"
EWF2 = (b"EVF2\x0d\x0a\x81\x00", b"LEF2\x0d\x0a\x81\x00")

_HEAD = 13
_SECTION = struct.Struct("<16sQQ40xI")
# A section of data has some MiB at least; a segment is rarely over 2 GiB.
_MOST_SECTIONS = 1 << 16
_MOST_HEADER = 1 << 16
_MOST_TEXT = 1 << 18
_VOLUME = struct.Struct("<4xIIIQ")
_FIELDS = {"c": "case number", "n": "evidence number", "av": "tool version", "m": "acquired"}


def ewf_claims(read: ReadAt, size: int) -> Said:
    """Return what a segment of `size` bytes says; what is malformed in it ends the reading."""
    said = Said("EWF-E01" if read(0, 8) == E01 else "EWF-L01")
    try:
        head = exactly(read, 0, _HEAD)
        said.add("segment", str(int.from_bytes(head[9:11], "little")))
        _sections(read, size, said)
    except MalformedError as error:
        said.note(f"malformed: {error}")
    return said


def _sections(read: ReadAt, size: int, said: Said) -> None:
    at = _HEAD
    for _ in range(_MOST_SECTIONS):
        raw = exactly(read, at, _SECTION.size)
        kind, after, length, checksum = _SECTION.unpack(raw)
        if zlib.adler32(raw[:-4]) != checksum:
            raise MalformedError(f"the section at {at} has another checksum")
        name = kind.rstrip(b"\x00")
        if name in (b"done", b"next"):
            if name == b"next":
                said.note("another segment follows it, and the last one has the hashes")
            if at + max(length, _SECTION.size) < size:
                said.note(f"{size - at - max(length, _SECTION.size)} bytes stand behind its end")
            return
        if not at + _SECTION.size <= after <= size or length > size - at:
            raise MalformedError(f"the section at {at} does not lie within the file")
        if reader := _READERS.get(name):
            reader(read, at + _SECTION.size, min(after - at, length) - _SECTION.size, said)
        at = after
    raise MalformedError(f"it has over {_MOST_SECTIONS} sections")


def _hash(read: ReadAt, at: int, size: int, said: Said) -> None:
    data = _checked(read, at, size, 36)
    said.add("md5 of the medium", data[:16].hex())


def _digest(read: ReadAt, at: int, size: int, said: Said) -> None:
    data = _checked(read, at, size, 80)
    # What was not computed stands as zeros.
    for name, value in (("md5", data[:16]), ("sha1", data[16:36])):
        if any(value):
            said.add(f"{name} of the medium", value.hex())


def _volume(read: ReadAt, at: int, size: int, said: Said) -> None:
    data = _checked(read, at, size, 1052)
    _, _, sector, sectors = _VOLUME.unpack_from(data)
    said.add("size of the medium", str(sector * sectors))


def _header(read: ReadAt, at: int, size: int, said: Said) -> None:
    if size > _MOST_HEADER:
        said.note(f"a header of {size} bytes is not read")
        return
    packed = exactly(read, at, max(size, 0))
    try:
        text = zlib.decompressobj().decompress(packed, _MOST_TEXT)
    except zlib.error:
        said.note("a header is not compressed as it should be")
        return
    wide = text.startswith((b"\xff\xfe", b"\xfe\xff"))
    lines = text.decode("utf-16" if wide else "ascii", errors="replace").splitlines()
    if len(lines) < 4:
        said.note("a header lacks its fields")
        return
    # Two kinds of header tell the same; the date is written as a number in the one.
    for tag, value in zip(lines[2].split("\t"), lines[3].split("\t"), strict=False):
        if tag in _FIELDS:
            said.add(_FIELDS[tag], value)


def _checked(read: ReadAt, at: int, size: int, expected: int) -> bytes:
    """Return a section's data of a known size, whose last four bytes are its Adler-32."""
    if size < expected:
        raise MalformedError(f"the data at {at} has {size} bytes; expected {expected}")
    data = exactly(read, at, expected)
    if zlib.adler32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise MalformedError(f"the data at {at} has another checksum")
    return data


_READERS = {
    b"hash": _hash,
    b"digest": _digest,
    b"volume": _volume,
    b"disk": _volume,
    b"header": _header,
    b"header2": _header,
}
