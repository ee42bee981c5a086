"""One value, one text: canonical JSON (RFC 8785) for everything that is hashed or signed."""

from collections.abc import Mapping
from typing import Any

import rfc8785

from evidence.errors import CanonicalError
from evidence.strict_json import refuse_unsafe


def canonical(value: Mapping[str, Any] | list[Any], *, depth: int = 0) -> bytes:
    """Return the RFC 8785 form of `value` as UTF-8 bytes.

    Takes None, bool, int below 2^53, str, list, tuple and dict with ASCII keys, nested at most
    `strict_json.MAX_DEPTH` deep; `depth` is how deep the value will itself stand. For this subset
    the verifier's standard library writes the same bytes.

    Raises:
        CanonicalError: for a float, a larger integer, a non-ASCII key, a lone surrogate, any
            other type, or deeper nesting.
    """
    refuse_unsafe(value, depth)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise CanonicalError(f"no canonical form: {error}; expected valid Unicode") from error
