"""AWS's own sample findings: each is understood, and none makes anything happen by itself."""

from pathlib import Path

import pytest

from tests.deployment import deployed

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples" / "guardduty"


def test_no_sample_finding_does_anything_by_itself(tmp_path: Path) -> None:
    if not SAMPLES.is_dir():
        pytest.skip("put AWS's GuardDuty sample findings into ../shared/samples/guardduty")
    deployment = deployed(tmp_path)
    parts, calls = deployment.parts(), len(deployment.world.calls)
    taken = [deployment.take(parts, path.read_bytes()) for path in sorted(SAMPLES.iterdir())]
    assert len(taken) == 5
    for one in taken:
        assert any("sample" in reason for reason in one.incident.hindrances)
        assert one.incident.status == "open"
    assert len(deployment.world.calls) == calls
