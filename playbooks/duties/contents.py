"""What a notice may have to contain, item by item, in words that a person fills in by."""

import functools
from collections.abc import Mapping
from pathlib import Path

from playbooks.duties.errors import RuleError
from playbooks.duties.vocabulary import loaded

CONTENTS = Path(__file__).parent / "contents"


@functools.cache
def items() -> Mapping[str, str]:
    """Return each item's name and what it asks for. Raises RuleError where one is named twice."""
    found: dict[str, str] = {}
    for path in sorted(CONTENTS.glob("*.yaml")):
        for name, says in (loaded(path) or {}).items():
            if name in found:
                raise RuleError(f"{path.name}: the item {name} is explained twice")
            found[str(name)] = str(says)
    return found
