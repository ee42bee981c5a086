"""The store of artifacts: there, and fit to keep evidence."""

from collections.abc import Iterator

from playbooks.desk.doctor.finding import Finding, ok
from playbooks.desk.doctor.place import Place
from playbooks.wiring.store_terms import place as place_of
from playbooks.wiring.stores import open_store


def storing(place: Place) -> Iterator[Finding]:
    """Say whether the bucket keeps versions, locks objects, and is closed to the public."""
    settings = place.settings
    found = place_of(settings.store)
    if found is None:
        yield ok("store", f"a folder, {settings.home / 'evidence'}; it has no locks")
        return
    # What is wrong raises, says what to do, and is told.
    open_store(settings, place.sessions(), place.now).refuse_unfit()
    terms = f"{settings.storing.retention_days} days at least, {settings.storing.mode} mode"
    yield ok("store", f"bucket {found[0]} keeps versions, locks them ({terms}), and is closed")
