"""`stanch release`: give a host back that has recovered; what was stolen from it stays dead."""

from playbooks.desk.cli.going_back import Reason, Step, go
from playbooks.desk.cli.surroundings import Key


def release(incident: str, key: Key, step: Step = None, reason: Reason = "") -> None:
    """Show what a release would change and ask; after another person's yes, release the host.

    Sessions issued before it stay denied until the last of them has run out.
    """
    go("release", incident, key, step, reason)
