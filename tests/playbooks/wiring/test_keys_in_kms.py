"""A deployment whose manifest and wrapping keys never leave KMS (moto), over HTTP."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.desk.doctor import key_service
from playbooks.desk.doctor.place import Place
from playbooks.wiring.parts import assemble, now
from playbooks.wiring.settings import load
from tests.evidence.cloud import ACCOUNT, REGION, client, moto_server
from tests.playbooks.desk.console import stanch
from tests.playbooks.wiring.keys_elsewhere import PLAIN, SECRET, exported, keep, reopened, seal

SPECS = {
    "manifest": ("ECC_NIST_P256", "SIGN_VERIFY"),
    "wrap": ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
}


@pytest.fixture
def arns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[dict[str, str]]:
    # moto's server tells each request; that is nothing that Stanch says.
    caplog.set_level(logging.WARNING, "werkzeug")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("STANCH_CONFIG", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    with moto_server() as endpoint:
        kms = client("kms", endpoint)
        made = {
            use: kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
            for use, (spec, usage) in SPECS.items()
        }
        kms.close()
        lines = [f'aws_endpoint = "{endpoint}"', f'[accounts."{ACCOUNT}"]']
        lines.append(f'regions = ["{REGION}"]')
        (tmp_path / "stanch.toml").write_text("\n".join(lines) + "\n")
        words = [word for use, arn in made.items() for word in (f"--{use}-key", f"awskms:{arn}")]
        ran = stanch("init", *words)
        assert (ran.status, ran.err) == (0, "")
        yield made


def test_all_is_proven_and_only_the_log_s_key_is_at_home(
    arns: dict[str, str], tmp_path: Path
) -> None:
    parts = assemble(load())
    bodies = keep(parts, PLAIN, SECRET)
    assert seal(parts) is not None
    found = exported(parts, tmp_path / "bundle")
    assert (found.problems, found.exit_code) == ((), 3)
    assert reopened(parts, bodies[1]["artifact_id"]) == SECRET.data
    assert sorted(p.name for p in (tmp_path / "stanch-data" / "keys").iterdir()) == [
        "keyring.json",
        "log.pem",
        "signed-head",
        "trust.json",
    ]
    told = [f for use in SPECS for f in key_service.key(Place(load(), now), use)]
    assert [f.level for f in told] == ["ok", "ok"]
    # An account in a manifest would go out with every bundle.
    token = parts.locker.read(bodies[1]["manifest_sha256"])
    assert ACCOUNT.encode() not in token


def test_the_permissions_are_those_keys_and_no_more(arns: dict[str, str]) -> None:
    def of(*more: str) -> list[Any]:
        printed = json.loads(stanch("permissions", *more).out)["Statement"]
        return [s for s in printed if s["Resource"] in arns.values()]

    assert of() == of("--account", ACCOUNT)
    assert of("--account", "999988887777") == []
    sign, check, wrap = of()
    assert (sign["Action"], sign["Resource"]) == (["kms:Sign"], arns["manifest"])
    assert sign["Condition"] == {"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}
    assert check["Action"] == ["kms:DescribeKey", "kms:GetPublicKey"]
    assert wrap["Action"] == ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"]
    assert (check["Resource"], wrap["Resource"]) == (arns["manifest"], arns["wrap"])
