"""What both doors do with what came: read each, reject what cannot be read, take in the rest."""

from collections.abc import Callable, Sequence

from playbooks.intake.accepted import Accept, Accepted, Arrival, Came, Reject
from playbooks.intake.alert import Alert
from playbooks.intake.errors import IntakeError


def read_or_reject(
    read: Callable[[], Alert], data: bytes, came: Came, reject: Reject
) -> Arrival | Exception:
    """Return the arrival; or, once it is recorded as a dead letter, why it could not be read.

    Another exception than IntakeError says that not even this could be recorded.
    """
    try:
        return Arrival(read(), came)
    except IntakeError as error:
        refused = error
    try:
        reject(data, came, str(refused))
    except Exception as error:
        # Whatever it is, its sender is asked to come again, and the others go on.
        return error
    return refused


def take_in(accept: Accept, read: Sequence[Arrival | Exception]) -> list[Accepted | Exception]:
    """Return for each what became of it; what could not be read stays what it is."""
    arrivals = [one for one in read if isinstance(one, Arrival)]
    accepted: Sequence[Accepted | Exception]
    try:
        accepted = accept(arrivals) if arrivals else []
    except Exception as error:
        # What was rejected has been recorded all the same.
        accepted = [error] * len(arrivals)
    found = iter(accepted)
    return [next(found) if isinstance(one, Arrival) else one for one in read]
