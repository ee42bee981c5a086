"""Read JSON that may have been written to harm the reader."""

import json
import math
from typing import Final, TypeAlias

from playbooks.intake.errors import NotJsonError, TooDeepError, TooLargeError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

# What EventBridge and SQS carry at most ("Amazon SQS message quotas", raised from 256 KB in
# January 2026). Nothing larger can have come from them.
MAX_BYTES: Final = 1_048_576
# The GuardDuty service model nests a finding 10 levels deep, the EventBridge envelope adds one.
MAX_DEPTH: Final = 64
_AGAIN: Final = "Fetch the finding again (aws guardduty get-findings) and send it unchanged."


def read_object(data: bytes) -> dict[str, Json]:
    """Return the one JSON object in `data`.

    Raises TooLargeError above MAX_BYTES, TooDeepError above MAX_DEPTH levels, NotJsonError for
    all else that is not I-JSON (RFC 7493): other encodings, a name given twice, NaN, infinity.
    A byte order mark is skipped, as RFC 8259 section 8.1 allows. Lone surrogates are left to
    whoever uses the string: an attacker's command line may hold them, and must not silence a
    whole finding.
    """
    if len(data) > MAX_BYTES:
        raise TooLargeError(
            f"The alert has {len(data)} bytes; at most {MAX_BYTES} were expected, which is what"
            " EventBridge and SQS carry. Send one finding at a time, uncompressed."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotJsonError(
            f"The alert is not UTF-8 (byte {error.start}); JSON in UTF-8 was expected. {_AGAIN}"
        ) from error
    found = read_text(text)
    if not isinstance(found, dict):
        raise NotJsonError(f"The alert is a JSON {_kind(found)}; an object was expected. {_AGAIN}")
    return found


def read_text(text: str) -> Json:
    """Return the JSON value in `text`; raises NotJsonError or TooDeepError as `read_object`."""
    try:
        found: Json = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        cut = "cut off" if error.pos >= len(text.rstrip()) else "not JSON"
        raise NotJsonError(
            f"The alert is {cut} at line {error.lineno}, column {error.colno}: {error.msg};"
            f" one complete JSON object was expected. {_AGAIN}"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # an integer of thousands of digits
        raise NotJsonError(
            f"The alert holds a number that cannot be read: {error}. {_AGAIN}"
        ) from error
    _check_depth(found)
    return found


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        # Two readers may pick different values (RFC 7493 section 2.3), so neither is believed.
        raise NotJsonError(
            f"The alert gives {ascii(twice)[:80]} twice in one object; each name was expected"
            f" once. {_AGAIN}"
        )
    return found


def _no_constant(name: str) -> Json:
    raise NotJsonError(f"The alert holds {name}, which JSON does not have. {_AGAIN}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJsonError(f"The alert holds {text[:40]}, beyond a double's range. {_AGAIN}")
    return number


def _check_depth(found: Json) -> None:
    level: list[Json] = [found]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return
    if any(isinstance(inner, dict | list) for inner in level):
        raise _too_deep()


def _too_deep() -> TooDeepError:
    return TooDeepError(
        f"The alert nests more than {MAX_DEPTH} levels; no finding does. It is not acted on."
        " Keep the file and look at who could have written it."
    )


def _kind(value: Json) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")
