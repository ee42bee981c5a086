"""`stanch rollback`: undo what an incident did, because it was a false positive."""

from playbooks.desk.cli.going_back import Reason, Step, go
from playbooks.desk.cli.surroundings import Key


def rollback(incident: str, key: Key, step: Step = None, reason: Reason = "") -> None:
    """Show what undoing would change and ask; after another person's yes, undo it."""
    go("rollback", incident, key, step, reason)
