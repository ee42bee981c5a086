"""What can go wrong when Stanch decides.

PlaybookError
├── SettingsError        stanch.toml or the environment says something that cannot be used
├── DatabaseError        the database holds no Stanch, or one of another version
├── UnknownIncidentError there is no such incident, step or question
├── RefusedError         the guard refuses; nothing was touched
├── StoppedError         a step failed that the play cannot go on without
├── ApprovalError        an answer that does not count (same person, unknown key, expired)
├── BusyError            another process works on this incident right now
├── LostLeaseError       another process has taken the incident over
├── UnshownError         Prefect did not take a run in time; nothing of it has run
├── FrozenError          somebody has frozen the account: nothing is changed there
└── SpoolError           the spool, which takes what the database cannot, is full or broken
"""


class PlaybookError(Exception):
    """Base of everything this room raises."""


class SettingsError(PlaybookError):
    """stanch.toml, the environment or a key file says something that cannot be used."""


class DatabaseError(PlaybookError):
    """The database holds no Stanch, or one of another version."""


class UnknownIncidentError(PlaybookError):
    """There is no such incident, step or question."""


class RefusedError(PlaybookError):
    """The guard refuses the act; nothing was touched."""


class StoppedError(PlaybookError):
    """A step failed that the play cannot go on without."""


class ApprovalError(PlaybookError):
    """An answer that does not count: the same person, an unknown key, an expired question."""


class BusyError(PlaybookError):
    """Another process works on this incident right now."""


class LostLeaseError(PlaybookError):
    """Another process has taken the incident over; this one must do no more for it."""


class UnshownError(PlaybookError):
    """Prefect did not take a run in time; nothing of it has run, and it is run without."""


class FrozenError(PlaybookError):
    """Somebody has frozen the account, or all: nothing is changed there until it is lifted."""


class SpoolError(PlaybookError):
    """The spool, which takes what the database cannot, is full, broken or missing."""
