"""Reads the text that reportlab drew back out of a PDF, by each font's own map to Unicode."""

import base64
import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(<<.*?>>)\n(?:stream\n|endobj)", re.S)
FONT = re.compile(rb"/Name /(\S+).*?/ToUnicode (\d+) 0 R", re.S)
PAIR = re.compile(rb"<([0-9A-F]{2})> <([0-9A-F]{4,})>")
DRAWN = re.compile(rb"/(\S+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj", re.S)
ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.S)
NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text(packed: bytes) -> str:
    """Return all text in the order in which it was drawn, without any white space."""
    heads = {int(m[1]): (m[2], m.end()) for m in OBJECT.finditer(packed)}
    fonts: dict[bytes, dict[int, str]] = {}
    for head, _ in heads.values():
        if found := FONT.search(head):
            fonts[found[1]] = _map(_stream(packed, *heads[int(found[2])]))
    pages = [
        heads[int(m[1])]
        for head, _ in heads.values()
        if b"/Type /Page\n" in head and (m := re.search(rb"/Contents (\d+) 0 R", head))
    ]
    drawn = "".join(_drawn(_stream(packed, *page), fonts) for page in pages)
    return "".join(drawn.split())


def _stream(packed: bytes, head: bytes, at: int) -> bytes:
    length = re.search(rb"/Length (\d+)", head)
    assert length is not None
    raw = packed[at : at + int(length[1])]
    if b"ASCII85" in head:
        raw = base64.a85decode(raw.strip().removesuffix(b"~>"))
    return zlib.decompress(raw)


def _map(cmap: bytes) -> dict[int, str]:
    return {
        int(m[1], 16): bytes.fromhex(m[2].decode()).decode("utf-16-be") for m in PAIR.finditer(cmap)
    }


def _drawn(page: bytes, fonts: dict[bytes, dict[int, str]]) -> str:
    font: dict[int, str] = {}
    found = []
    for m in DRAWN.finditer(page):
        if m[1]:
            font = fonts.get(m[1], {})
        else:
            found += [font[code] for code in ESCAPED.sub(_plain, m[2])]
    return "".join(found)


def _plain(m: re.Match[bytes]) -> bytes:
    said = m[1]
    return bytes([int(said, 8)]) if said.isdigit() else NAMED.get(said, said)
