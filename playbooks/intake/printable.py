"""Keep text that hides, reorders or breaks what a person reads out of the normal form."""

import unicodedata

from playbooks.intake.errors import HostileTextError

# Unicode general categories: control, format (bidirectional and zero-width), surrogate,
# private use, unassigned, line separator, paragraph separator. See UTS #39 and UAX #9.
_HOSTILE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(name: str, text: str, limit: int) -> str:
    """Return `text` unchanged when a person can trust what they see of it.

    `name` is the field, for the message; `limit` is in characters. Raises HostileTextError.
    """
    # In ASCII, what is printable hides nothing; most text ends here, as looking up costs time.
    plain = text.isascii() and text.isprintable()
    for at, char in enumerate("" if plain else text):
        if unicodedata.category(char) in _HOSTILE:
            raise HostileTextError(
                f"{name} holds U+{ord(char):04X} ({unicodedata.name(char, 'unnamed')}) at"
                f" character {at}: {text[:80]!a}. Letters, digits and punctuation were"
                " expected. AWS does not send this; check where the alert came from."
            )
    if len(text) > limit:
        raise HostileTextError(
            f"{name} has {len(text)} characters; at most {limit} were expected:"
            f" {text[:80]!a}... Check where the alert came from."
        )
    return text
