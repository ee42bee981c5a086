"""One small member of a ZIP archive of any size, found and unpacked within bounds. Pure.

The end of the archive is looked for in its last 64 KiB and 22 bytes, and the central directory is
walked entry by entry (PKWARE, ".ZIP File Format Specification", 4.3.6 to 4.3.16, 4.5.3). Offsets,
sizes and counts in it are believed only within the file and below the limits here.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from evidence.sources.container import MalformedError, ReadAt, exactly

MAGIC = b"PK\x03\x04"

_END = struct.Struct("<4s4HIIH")
_END64_AT = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_BIG = 0xFFFFFFFF
_MOST_DIRECTORY = 64 << 20
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    method: int
    packed: int
    unpacked: int
    at: int


def member(read: ReadAt, size: int, name: bytes, most: int) -> bytes | None:
    """Return the content of the member of that name, None where there is none.

    Raises:
        MalformedError: when the archive is none, contradicts itself, or the member has over `most`
            bytes.
    """
    found = (entry for entry in _entries(read, size) if entry.name == name)
    if (entry := next(found, None)) is None:
        return None
    if next(found, None) is not None:
        raise MalformedError("it has several members of that name")
    if entry.packed > most or entry.unpacked > most:
        raise MalformedError(f"the member has over {most} bytes")
    head = _LOCAL.unpack(exactly(read, entry.at, _LOCAL.size))
    if head[0] != MAGIC:
        raise MalformedError(f"there is no member at {entry.at}")
    data = exactly(read, entry.at + _LOCAL.size + head[9] + head[10], entry.packed)
    if entry.method == 0:
        return data
    if entry.method != 8:
        raise MalformedError(f"the member is compressed by method {entry.method}")
    try:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        unpacked = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise MalformedError("the member does not unpack") from error
    if len(unpacked) > most or not unpacker.eof:
        raise MalformedError(f"the member is cut, or has over {most} bytes")
    return unpacked


def _entries(read: ReadAt, size: int) -> Iterator[_Entry]:
    at, length = _directory(read, size)
    if length > _MOST_DIRECTORY or at + length > size:
        raise MalformedError(f"its directory has {length} bytes at {at}")
    end = at + length
    while at < end:
        piece = read(at, min(_PIECE, end - at))
        here = 0
        while len(piece) - here >= _ENTRY.size:
            fixed = _ENTRY.unpack_from(piece, here)
            if fixed[0] != b"PK\x01\x02":
                raise MalformedError(f"its directory has no entry at {at + here}")
            names, extras, comments = fixed[10:13]
            whole = _ENTRY.size + names + extras + comments
            if len(piece) - here < whole:
                break
            start = here + _ENTRY.size
            extra = piece[start + names : start + names + extras]
            packed, unpacked, place = _widened(extra, fixed[8], fixed[9], fixed[16])
            yield _Entry(piece[start : start + names], fixed[4], packed, unpacked, place)
            here += whole
        if not here:
            raise MalformedError(f"its directory breaks off at {at}")
        at += here


def _directory(read: ReadAt, size: int) -> tuple[int, int]:
    """Return offset and size of the central directory."""
    start = max(0, size - _END.size - 0xFFFF)
    tail = read(start, size - start)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise MalformedError("it has no end of a directory")
    end = _END.unpack_from(tail, at)
    length, place = end[5], end[6]
    if _BIG not in (length, place):
        return place, length
    locator = exactly(read, start + at - _END64_AT.size, _END64_AT.size) if start + at else b""
    if not locator.startswith(b"PK\x06\x07"):
        raise MalformedError("it lacks the place of its directory")
    end64 = _END64.unpack(exactly(read, _END64_AT.unpack(locator)[2], _END64.size))
    if end64[0] != b"PK\x06\x06":
        raise MalformedError("it lacks the end of its directory")
    return end64[9], end64[8]


def _widened(extra: bytes, packed: int, unpacked: int, place: int) -> tuple[int, int, int]:
    """Return the sizes and offset of an entry, those of ZIP64 where they did not fit."""
    values = {"unpacked": unpacked, "packed": packed, "place": place}
    wide = [name for name, value in values.items() if value == _BIG]
    at = 0
    while wide and len(extra) - at >= 4:
        tag, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        if tag == 1:
            for number, name in enumerate(wide):
                if len(field) < 8 * number + 8:
                    raise MalformedError("an entry lacks its size")
                values[name] = int.from_bytes(field[8 * number : 8 * number + 8], "little")
            break
        at += 4 + length
    return values["packed"], values["unpacked"], values["place"]
