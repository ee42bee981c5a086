"""The secrets that this process has learnt, so that nothing it says can hold one.

Known are the values that references in the settings led to; a log line or a finding passes through
`redact` last.
"""

import json
import re
import threading
from urllib.parse import quote, quote_plus, urlsplit

MASK = "[hidden]"
# To mask every "x" of a text hides no secret: it tells which one it is, and spoils the text. What
# is not ASCII stands in no text of ours by itself.
SHORTEST = 5

_learning = threading.Lock()
_known: set[str] = set()
_pattern: list[re.Pattern[str]] = []


def hide(secret: str) -> str:
    """Remember a secret, with the password in it where it is a URL, and return it."""
    forms = {form for value in (secret, _password(secret)) for form in _spellings(value)}
    if not forms <= _known:
        with _learning:
            _known.update(forms)
            # The longest first, so that no part of one is left over.
            longest = sorted(_known, key=lambda form: (-len(form), form))
            _pattern[:] = [re.compile("|".join(map(re.escape, longest)))]
    return secret


def redact(text: str) -> str:
    """Return the text with each known secret, however it is escaped in there, masked."""
    return _pattern[0].sub(MASK, text) if _pattern else text


def _password(secret: str) -> str:
    try:
        return urlsplit(secret).password or ""
    except ValueError:
        return ""


def _spellings(value: str) -> set[str]:
    """Return how a value may stand in a URL, in JSON and in a representation of Python's."""
    if not value or (value.isascii() and len(value) < SHORTEST):
        return set()
    plain = json.dumps(value, ensure_ascii=False)[1:-1]
    spelt = {value, quote(value, safe=""), quote(value), quote_plus(value), plain}
    return spelt | {json.dumps(value)[1:-1], repr(value)[1:-1], ascii(value)[1:-1]}
