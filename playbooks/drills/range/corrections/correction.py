"""The shape of a correction, and the table of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from playbooks.drills.range.ground import Ground
from playbooks.drills.range.wire import Asked


class Onward(Protocol):
    """Asks the next in line, with other parameters if given; raises AwsError when refused."""

    def __call__(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]: ...


Correction = Callable[[Ground, Asked, Onward], Mapping[str, Any]]
Corrections = dict[tuple[str, str], Correction]
# A correction returns this when moto's answer needs none: it is then sent without being parsed.
AS_IT_IS: Mapping[str, Any] = MappingProxyType({"as": "it is"})
