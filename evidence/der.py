"""DER, as far as timestamps need it: single-byte tags, definite lengths (ITU-T X.690, 8 and 10).

    data = sequence(integer(1), boolean(True))
    [outer] = read(data)
    version, flag = outer.parts()

What is read is the one encoding that its value has, or it is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from evidence.errors import TimestampError

BOOLEAN, INTEGER, BIT_STRING, OCTETS, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, UTC_TIME, TIME, SEQUENCE, SET = 0x0C, 0x17, 0x18, 0x30, 0x31


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag byte, its content, and all of its bytes."""

    tag: int
    content: bytes
    encoded: bytes

    def parts(self) -> list["Element"]:
        """Return what a constructed value holds. Raise TimestampError where it is not one."""
        if not self.tag & 0x20:
            raise TimestampError(f"DER value of tag {self.tag:#04x} holds no others")
        return read(self.content)

    def number(self) -> int:
        """Return an INTEGER. Raise TimestampError where it is none in its only form."""
        value = int.from_bytes(self._content(INTEGER, "an integer"), signed=True)
        if integer(value) != self.encoded:
            raise TimestampError("DER integer is not in its only form")
        return value

    def oid(self) -> str:
        """Return an OBJECT IDENTIFIER with dots."""
        arcs, value = [], 0
        for byte in self._content(OID, "an object identifier"):
            value = value << 7 | byte & 0x7F
            if not byte & 0x80:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2) if arcs else 0
        dotted = ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]])) if arcs else ""
        if not arcs or object_id(dotted) != self.encoded:
            raise TimestampError("DER object identifier is not in its only form")
        return dotted

    def octets(self) -> bytes:
        """Return an OCTET STRING's bytes."""
        return self._content(OCTETS, "an octet string")

    def truth(self) -> bool:
        """Return a BOOLEAN."""
        content = self._content(BOOLEAN, "a boolean")
        if content not in (b"\x00", b"\xff"):
            raise TimestampError("DER boolean is neither 00 nor ff")
        return content == b"\xff"

    def text(self) -> str:
        """Return the ASCII text of a time or string."""
        try:
            return self.content.decode("ascii")
        except UnicodeDecodeError as error:
            raise TimestampError("DER text is not ASCII") from error

    def _content(self, tag: int, what: str) -> bytes:
        if self.tag != tag:
            raise TimestampError(f"DER value of tag {self.tag:#04x}; expected {what}")
        return self.content


def read(data: bytes) -> list[Element]:
    """Return the values that stand one after the other in `data`.

    Raises:
        TimestampError: when bytes are missing, or a length is not in its shortest form.
    """
    found, at = [], 0
    while at < len(data):
        start = at
        tag, at = data[at], at + 1
        if tag & 0x1F == 0x1F or at >= len(data):
            raise TimestampError("DER value of a long tag, or cut off")
        size, at = data[at], at + 1
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[at : at + count])
            at += count
            if not 1 <= count <= 4 or at > len(data) or _length(size) != data[start + 1 : at]:
                raise TimestampError("DER length is not in its only form")
        if at + size > len(data):
            raise TimestampError("DER value is cut off")
        found.append(Element(tag, data[at : at + size], data[start : at + size]))
        at += size
    return found


def one(data: bytes) -> Element:
    """Return the single value that `data` is. Raise TimestampError when it is not exactly one."""
    found = read(data)
    if len(found) != 1:
        raise TimestampError(f"{len(found)} DER values; expected one and nothing after it")
    return found[0]


def value(tag: int, content: bytes) -> bytes:
    """Return a value of this tag."""
    return bytes([tag]) + _length(len(content)) + content


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded values."""
    return value(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """Return a SET OF encoded values, which stand in order of their bytes (X.690, 11.6)."""
    return value(SET, b"".join(sorted(parts)))


def tagged(number: int, content: bytes, *, constructed: bool = True) -> bytes:
    """Return a context-specific value: `content` is what stands inside the tag."""
    return value(0x80 | (0x20 if constructed else 0) | number, content)


def integer(number: int) -> bytes:
    """Return an INTEGER in its shortest form (X.690, 8.3)."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return value(INTEGER, number.to_bytes(size, signed=True))


def boolean(flag: bool) -> bytes:
    """Return a BOOLEAN."""
    return value(BOOLEAN, b"\xff" if flag else b"\x00")


def octets(data: bytes) -> bytes:
    """Return an OCTET STRING."""
    return value(OCTETS, data)


def object_id(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER.

    Raises:
        TimestampError: when the text is not numbers with dots, two or more.
    """
    parts = dotted.split(".")
    if len(parts) < 2 or not all(p.isascii() and p.isdigit() and len(p) < 40 for p in parts):
        raise TimestampError(f"object identifier {dotted[:80]!r}; expected numbers with dots")
    arcs = [int(part) for part in parts]
    if arcs[0] > 2 or (arcs[0] < 2 and arcs[1] > 39):
        raise TimestampError(f"object identifier {dotted[:80]!r} has impossible first numbers")
    encoded = b"".join(_base128(arc) for arc in [40 * arcs[0] + arcs[1], *arcs[2:]])
    return value(OID, encoded)


def null() -> bytes:
    """Return a NULL."""
    return value(NULL, b"")


def _base128(arc: int) -> bytes:
    groups = [arc & 0x7F]
    while arc := arc >> 7:
        groups.append(arc & 0x7F | 0x80)
    return bytes(reversed(groups))


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    encoded = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(encoded)]) + encoded
