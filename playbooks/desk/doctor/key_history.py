"""Whether auditors were given how long each key counts, as the ledger has it."""

import json
from collections.abc import Iterator

from evidence.key_history import write_history
from playbooks.case.key_changing import history
from playbooks.desk.doctor.finding import Finding, bad, ok
from playbooks.desk.doctor.place import Place
from playbooks.wiring import keyring


def key_history(place: Place) -> Iterator[Finding]:
    """Compare the bounds of keys in trust.json with those that the ledger's entries give."""
    folder = place.settings.home / "keys"
    ring = keyring.load(folder, place.settings.origin, signer=place.settings.signer)
    found = write_history(history(place.store(), place.settings, ring))
    try:
        given = json.loads((folder / "trust.json").read_text()).get("key_history", [])
    except (OSError, ValueError, AttributeError):
        given = None
    if given != found:
        yield bad(
            "key history",
            "trust.json does not say how long each key counts, as the ledger has it",
            "Run `stanch trust`, and give the new file to your auditors: with an older one they "
            "go on believing a key that was revoked, or refuse one that is new.",
        )
        return
    revoked = sum("anchored_by" in one for one in found)
    former = sum("valid_until" in one for one in found)
    yield ok("key history", f"{former} former keys, {revoked} of them revoked, as in trust.json")
