"""What was never run is told before an incident, and is nobody's fault."""

from pathlib import Path

from evidence.sources.contract_only import CONTRACT_ONLY
from playbooks.desk.doctor.checks import checks
from playbooks.desk.doctor.place import Place
from playbooks.wiring.parts import now
from playbooks.wiring.settings import Settings


def test_each_is_told_and_none_is_a_failure(tmp_path: Path) -> None:
    place = Place(Settings(home=tmp_path), now)
    found = list(checks(place)["contract only"]())
    assert {one.what.partition(":")[0] for one in found} == {*CONTRACT_ONLY}
    assert {one.level for one in found} == {"ok"}
    assert any("AVML" in one.what for one in found)
