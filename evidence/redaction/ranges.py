"""Takes ranges of bytes out of content of any size, and checks that a copy lacks just those.

Where the length is kept each byte becomes `FILL`; where it is hidden the range becomes `MARK`.
Standard library only, for the verifier reads it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from evidence.errors import RedactionError
from evidence.redaction.map import Range

FILL = b"X"
MARK = b"[redacted]"
BLOCK = 1 << 20


def copy_size(size: int, ranges: Sequence[Range]) -> int:
    """Return the bytes that a copy has of content of `size` bytes.

    Raises:
        RedactionError: when a range ends behind the content.
    """
    _refuse_beyond(size, ranges)
    return size + sum(len(MARK) - one.size for one in ranges if one.hidden)


def redacted(blocks: Iterable[bytes], ranges: Sequence[Range]) -> Iterator[bytes]:
    """Yield the copy, block by block, of content that comes in blocks.

    Raises:
        RedactionError: at the end, when a range ends behind the content: then there is no copy.
    """
    at, number = 0, 0
    for block in blocks:
        end = at + len(block)
        while number < len(ranges) and ranges[number].start < end:
            one = ranges[number]
            if one.start >= at:
                if at < one.start:
                    yield block[: one.start - at]
                if one.hidden:
                    yield MARK
            lost = min(one.end, end) - max(one.start, at)
            if not one.hidden:
                yield FILL * lost
            done = min(one.end, end)
            block, at = block[done - at :], done
            if one.end > end:
                break
            number += 1
        if at < end:
            yield block
        at = end
    _refuse_beyond(at, ranges)


def filled(read: Callable[[int], bytes], ranges: Sequence[Range]) -> str | None:
    """Return what is wrong in a copy, without its original: where something else stands in a range.

    `read(n)` gives at most n bytes of the copy, none at its end.
    """
    at = 0
    for number, one in enumerate(ranges):
        for _ in _take(read, one.start - at):
            pass
        left = len(MARK) if one.hidden else one.size
        expected = MARK if one.hidden else None
        for block in _take(read, left):
            if block != (expected if expected else FILL * len(block)):
                return f"has something else than the replacement in redaction {number}"
            left -= len(block)
        if left:
            return f"ends before redaction {number} does"
        at = one.end
    return None


def unlike(expected: Iterable[bytes], read: Callable[[int], bytes]) -> str | None:
    """Return where a copy is not what is expected of it, None where it is, byte for byte."""
    at = 0
    for block in expected:
        found = b"".join(_take(read, len(block)))
        if found != block:
            pairs = zip(found, block, strict=False)
            at += next((n for n, (a, b) in enumerate(pairs) if a != b), len(found))
            return f"is not what the map makes of the original, from byte {at}"
        at += len(block)
    return "goes on where the original ends" if read(1) else None


def _take(read: Callable[[int], bytes], count: int) -> Iterator[bytes]:
    while count > 0 and (block := read(min(count, BLOCK))):
        count -= len(block)
        yield block


def _refuse_beyond(size: int, ranges: Sequence[Range]) -> None:
    if ranges and ranges[-1].end > size:
        raise RedactionError(
            f"the last redaction ends at byte {ranges[-1].end}, the content at {size}; "
            "expected ranges within the content"
        )
