"""What was asked of the world, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.keys import Principal


@dataclass(frozen=True, slots=True)
class Call:
    """One request really received. `at` is the world's time, `error` the AWS code or empty.

    `elements` is what was answered, where that names what was made (trail_record.py).
    """

    operation: str
    service: str
    region: str
    params: Mapping[str, Any] = field(repr=False)
    principal: Principal | None
    access_key: str
    source_ip: str
    user_agent: str
    at: datetime
    status: int
    error: str
    mutating: bool
    request_id: str
    elements: Mapping[str, Any] = field(default_factory=dict, repr=False)
