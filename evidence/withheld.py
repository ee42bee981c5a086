"""What an export says that it leaves out, in the member `withheld` of its statement.

Exactly `artifacts` (stored SHA-256 in hex, sorted, each once) and `values` (what was asked for:
kinds of entries, JSON pointers, or `*` for every personal value; sorted, each once). Only whoever
signs the export can say it, so nobody else deletes a file and calls it withheld. Standard library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evidence.errors import BundleError, CanonicalError
from evidence.strict_json import parse_canonical

# Each stands in a token of at most 128 KiB.
MAX_WITHHELD = 1000

SCHEMA = "urn:stanch:export:2"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VALUE = re.compile(r"\*|[a-z][a-z0-9_.-]{0,63}|/[ -~]{0,199}")


@dataclass(frozen=True, slots=True)
class Withheld:
    """Stored SHA-256 of the artifacts, and which personal values, are left out of an export."""

    artifacts: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def members(self) -> dict[str, list[str]]:
        """Return it as JSON."""
        return {"artifacts": list(self.artifacts), "values": list(self.values)}

    def covers(self, kind: str, pointer: str) -> bool:
        """Tell whether a personal value of an entry is among what is left out."""
        return not {"*", kind, pointer}.isdisjoint(self.values)


NOTHING = Withheld()


def read_withheld(payload: bytes) -> Withheld | None:
    """Return what an export statement leaves out; None where it is of another schema than `SCHEMA`.

    Raises:
        BundleError: when it says so in another form.
    """
    try:
        members = parse_canonical(payload)
    except CanonicalError:
        return None
    if not isinstance(members, dict) or members.get("schema") != SCHEMA:
        return None
    return check_withheld(members.get("withheld"))


def check_withheld(members: object) -> Withheld:
    """Return what these members leave out. Raises as `read_withheld`."""
    if not isinstance(members, Mapping) or members.keys() != {"artifacts", "values"}:
        raise BundleError("withheld has not exactly artifacts and values")
    artifacts = _sorted("artifacts", members["artifacts"], _SHA256)
    return Withheld(artifacts, _sorted("values", members["values"], _VALUE))


def _sorted(name: str, found: Any, form: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(found, list) or len(found) > MAX_WITHHELD:
        raise BundleError(f"withheld {name} is no list of at most {MAX_WITHHELD}")
    if not all(isinstance(one, str) and form.fullmatch(one) for one in found):
        raise BundleError(f"withheld {name} has a member that is malformed")
    if found != sorted(set(found)):
        raise BundleError(f"withheld {name} is not sorted, or names one twice")
    return tuple(found)
