"""The doctor compares how long keys count, as auditors were told, with the ledger."""

import json

from evidence.key_history import MANIFEST
from playbooks.desk.doctor.key_history import key_history
from playbooks.desk.doctor.place import Place
from playbooks.wiring.settings import load
from tests.playbooks.desk.keyed import Home


def told(home: Home) -> list[tuple[str, str]]:
    place = Place(load(), home.parts().now)
    found = [(one.level, one.what) for one in key_history(place)]
    place.store().engine.dispose()
    return found


def test_a_trust_file_from_before_a_change_is_found(keyed: Home) -> None:
    path = keyed.folder_of_keys / "trust.json"
    assert told(keyed) == [("ok", "0 former keys, 0 of them revoked, as in trust.json")]
    before = path.read_text()
    keyed.rotate(MANIFEST)
    assert told(keyed) == [("ok", "1 former keys, 0 of them revoked, as in trust.json")]
    members = json.loads(path.read_text())
    for stale in (before, json.dumps(members | {"key_history": []}), "no JSON"):
        path.write_text(stale)
        ((level, what),) = told(keyed)
        assert (level, "how long each key counts" in what) == ("bad", True)
