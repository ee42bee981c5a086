"""The vendor's own sample findings are understood in full, and nothing is done about them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbooks.intake.automatic import AutomaticPolicy, hindrances
from playbooks.intake.errors import UnknownSourceError
from playbooks.intake.known_types import known_types
from playbooks.intake.meaning import meaning
from playbooks.intake.read import read_alert

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/samples"
ALLOW_ALL = AutomaticPolicy(frozenset({"*"}), 1.0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = ("instance", "i-99999999")
# file: type, severity_id, account, resource, archived, resource role, direction, our role
EXPECTED = {
    "Credential-Access-IAM-Anomalous-Behavior": (
        "CredentialAccess:IAMUser/AnomalousBehavior", 3, "057372331974",
        ("access_key", "GeneratedFindingAccessKeyId"), False, "TARGET", None, "suspect",
    ),
    "Discovery-RDS-Tor-Ip-Caller": (
        "Discovery:RDS/TorIPCaller", 3, "057372331974",
        ("database", "generatedfindingdbinstanceid"), False, "TARGET", None, "victim",
    ),
    "Recon-EC2-Portscan": (
        "Recon:EC2/Portscan", 3, "1234567891234", HOST, True, "ACTOR", "OUTBOUND", "suspect",
    ),
    "Trojan-EC2-DNSDataExfiltration": (
        "Trojan:EC2/DNSDataExfiltration", 4, "1234567891234", HOST, False, "ACTOR", None,
        "suspect",
    ),
    "UnauthorizedAccess-EC2-TorClient": (
        "UnauthorizedAccess:EC2/TorClient", 4, "1234567891234", HOST, False, "TARGET",
        "OUTBOUND", "suspect",
    ),
}  # fmt: skip


def sample(path):
    if not (SAMPLES / path).exists():
        pytest.skip(f"no ../shared beside the repository: put samples/{path} there")
    return (SAMPLES / path).read_bytes()


@pytest.mark.parametrize("name", EXPECTED)
def test_each_sample_is_understood_and_left_alone(name):
    alert = read_alert(sample(f"guardduty/{name}.json"), received=NOW)
    known = meaning(alert, known_types())
    assert (
        alert.finding_type,
        alert.severity_id,
        alert.account,
        (alert.resource.kind, alert.resource.uid),
        alert.archived,
        alert.resource_role,
        alert.connection_direction,
        known.role,
    ) == EXPECTED[name]
    assert (alert.region, alert.partition, alert.count) == ("us-east-1", "aws", 2)
    assert alert.sample
    assert known.type_known
    # 13 digits are no AWS account: understood, said, and never acted on.
    assert any(problem.startswith("account '1234567891234'") for problem in alert.problems)
    reasons = hindrances(alert, known, ALLOW_ALL)
    assert "the finding is a sample" in reasons
    assert ("the finding is archived: somebody has judged it" in reasons) == alert.archived


def test_there_are_no_other_samples():
    if not SAMPLES.exists():
        pytest.skip("no ../shared beside the repository: put samples/guardduty there")
    assert {path.stem for path in (SAMPLES / "guardduty").glob("*.json")} == EXPECTED.keys()


@pytest.mark.parametrize("name", ["sechub-guardduty.asff.json", "sechub-guardduty.ocsf.json"])
def test_another_vendors_form_is_refused_by_name(name):
    with pytest.raises(UnknownSourceError, match="GuardDuty finding as EventBridge sends it"):
        read_alert(sample(f"ocsf/{name}"), received=NOW)
