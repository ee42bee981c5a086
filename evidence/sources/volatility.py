"""In which order sources are collected: what is gone soonest comes first. Pure.

RFC 3227 section 2.1 puts registers and caches before tables and memory, those before temporary
files, disks, remote logs, the configuration and topology, and archives last. A provider shows no
registers; the rest of the order is kept, with what takes the place of each in a cloud.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Protocol, TypeVar


class Lasts(IntEnum):
    """How long something lasts, the shortest first; the order of RFC 3227."""

    STATE = 1
    TEMPORARY = 2
    DISK = 3
    REMOTE_LOG = 4
    CONFIGURATION = 5
    ARCHIVE = 6


# By a source's name. STATE: what a running thing tells of itself, and forgets when it stops or a
# lease ends. TEMPORARY: what people or tools change back at any time. ARCHIVE: copies that are ours
# already, and change no more.
LASTS: Mapping[str, Lasts] = {
    "instance_facts": Lasts.STATE,
    "vault_facts": Lasts.STATE,
    "vault_sweep": Lasts.STATE,
    "volatile_state": Lasts.STATE,
    "access_key_use": Lasts.TEMPORARY,
    "s3_versions": Lasts.DISK,
    "cloudtrail_events": Lasts.REMOTE_LOG,
    "flow_logs": Lasts.REMOTE_LOG,
    "newcomers": Lasts.REMOTE_LOG,
    "principal_changes": Lasts.REMOTE_LOG,
    "tag_changes": Lasts.REMOTE_LOG,
    "trail_files": Lasts.REMOTE_LOG,
    "vault_audit_hunt": Lasts.REMOTE_LOG,
    "vault_audit_log": Lasts.REMOTE_LOG,
    "principal_facts": Lasts.CONFIGURATION,
    "snapshot_blocks": Lasts.ARCHIVE,
    "snapshot_changes": Lasts.ARCHIVE,
    "snapshot_facts": Lasts.ARCHIVE,
}


class Named(Protocol):
    """A source, of which only the name is needed."""

    @property
    def name(self) -> str: ...


S = TypeVar("S", bound=Named)


def lasts(source: Named) -> Lasts:
    """Return how long what a source reads lasts; what is not known is taken as gone soonest."""
    return LASTS.get(source.name, Lasts.STATE)


def in_order(sources: Iterable[S]) -> list[S]:
    """Return the sources, the most volatile first; equals stay as they were given."""
    return sorted(sources, key=lasts)
