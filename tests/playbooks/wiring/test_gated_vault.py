"""The gate before a Vault: what changes something passes it, what reads or logs in does not."""

import pytest
import requests
from requests.adapters import HTTPAdapter

from playbooks.wiring.gated import GatedAdapter, through

CHANGES = [
    ("PUT", "sys/leases/revoke"),
    ("POST", "auth/approle/role/web/secret-id"),
    ("POST", "secret/data/web/login"),
    ("POST", "secret/data/lookup"),
    ("DELETE", "sys/policies/acl/x"),
    ("GET", "pki/crl/rotate"),
]
READS = [
    ("GET", "secret/data/web/db"),
    ("LIST", "auth/token/accessors"),
    ("POST", "auth/token/lookup-accessor"),
    ("POST", "auth/approle/role/web/secret-id-accessor/lookup"),
    ("PUT", "sys/leases/lookup"),
    ("POST", "sys/audit-hash/file"),
    ("POST", "auth/stanch/login"),
    ("POST", "auth/userpass/login/eve"),
    ("GET", "pki/crl/pem"),
]


@pytest.mark.parametrize(("method", "path"), CHANGES + READS)
def test_what_changes_a_vault_passes_the_gate(monkeypatch, method: str, path: str) -> None:
    sent: list[str] = []
    monkeypatch.setattr(HTTPAdapter, "send", lambda self, request, **_: sent.append(request.url))
    request = requests.Request(method, f"https://vault.example.org/v1/{path}?x=1").prepare()
    asked: list[str] = []
    through(asked.append, lambda: GatedAdapter().send(request))
    assert asked == ([f"{method} {path}"] if (method, path) in CHANGES else [])
    assert sent == [request.url]
