"""Settings, keys and people: what a deployment is made of."""

import json
import stat
from collections.abc import Iterator

from playbooks.desk.doctor.finding import Finding, bad, ok, warn
from playbooks.desk.doctor.place import Place
from playbooks.wiring import keyring, people, trusting
from playbooks.wiring.settings import config_path


def settings(place: Place) -> Iterator[Finding]:
    """Say whether anything would be contained."""
    known, path = place.settings, config_path()
    if not path.is_file():
        yield bad("settings", f"there is no {path} here", "Go to its folder, or set STANCH_CONFIG.")
    elif not known.accounts:
        yield bad(
            "settings",
            f"no account is in {path}, so nothing can be contained",
            'Add [accounts."..."] to it.',
        )
    else:
        automatic = known.automatic
        may = f"{len(automatic.types)} types act by themselves" if automatic else "all is proposed"
        yield ok("settings", f"{path}: {len(known.accounts)} accounts; {may}")
    mode = stat.S_IMODE(known.home.stat().st_mode)
    if mode & 0o077:
        yield bad(
            "home",
            f"{known.home} is open to others (mode {mode:04o})",
            f"chmod go= {known.home}",
        )


def keys(place: Place) -> Iterator[Finding]:
    """Say whether the keys are there, closed to others, and those that auditors were given."""
    folder = place.settings.home / "keys"
    ring = keyring.load(folder, place.settings.origin, signer=place.settings.signer)
    given = folder / "trust.json"
    try:
        trusted = json.loads(given.read_text())
        # From the ledger, which is asked elsewhere: how long former keys count.
        trusted.pop("key_history", None)
    except (OSError, ValueError, AttributeError):
        trusted = None
    if _keys_of(trusted) == _keys_of(trusting.trust(place.settings, ring)):
        yield ok("keys", f"log {ring.log.verifier.name}, as in trust.json")
    else:
        yield bad(
            "keys",
            f"{given} is not what these keys, `origin` and the witnesses give, so auditors cannot "
            "check new evidence",
            "Were the keys replaced, or `origin` changed in stanch.toml? Put it back. If you "
            "changed witnesses or timestamp authorities, run `stanch trust` and give auditors the "
            "new file.",
        )


def _keys_of(trusted: object) -> object:
    """Return the trust without people, who come and go: of those it lacks, verdicts say so."""
    if not isinstance(trusted, dict):
        return None
    return {name: value for name, value in trusted.items() if name != "people"}


def who_answers(place: Place) -> Iterator[Finding]:
    """Say who can answer: two, for nobody approves what they asked for."""
    known = people.known(place.settings)
    if len(known) < 2:
        yield bad(
            "people",
            f"{len(known)} people can answer; two are needed, for nobody approves what they asked "
            "for",
            "Make keys with `stanch person` and add them to stanch.toml.",
        )
    else:
        yield ok("people", ", ".join(sorted(known)))
    if len(known) == 2:
        yield warn(
            "people",
            "only two people can answer: nothing is approved while one is away",
            "Add a third with `stanch person`.",
        )
