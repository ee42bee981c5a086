"""The kinds of secrets engines and auth methods that can be mounted.

Filled by catalogue.py, once all engines are there to be named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.drills.range.vault.routes import Engine

Parts = tuple[type["Engine"], ...]

SECRETS: dict[str, Parts] = {}
AUTH: dict[str, Parts] = {}
