"""PKI secrets engine (API), and what its certificates and lists say (RFC 5280)."""

import pytest
from cryptography import x509

DAY = 24 * 3600
KEYS = {"key_type": "ed25519"}


@pytest.fixture
def at(vault) -> str:
    mount = vault.mount("pki", config={"max_lease_ttl": "87600h"})
    root = {"common_name": "example.com", "ttl": "87600h", **KEYS}
    vault.did("POST", f"{mount}/root/generate/internal", root)
    role = {"allowed_domains": "example.com", "allow_subdomains": True, "max_ttl": "72h", **KEYS}
    vault.did("POST", f"{mount}/roles/web", role)
    return mount


def issued(vault, at, **more) -> dict:
    body = {"common_name": "www.example.com", **more}
    return vault.did("POST", f"{at}/issue/web", body)["data"]


def listed_as_revoked(vault, at) -> set[int]:
    answer = vault.ask("GET", f"{at}/crl", token="")
    crl = x509.load_der_x509_crl(answer.content)
    root = x509.load_pem_x509_certificate(vault.ask("GET", f"{at}/ca/pem", token="").content)
    assert crl.is_signature_valid(root.public_key())
    return {entry.serial_number for entry in crl}


def number(serial: str) -> int:
    return int(serial.replace(":", ""), 16)


def test_a_root_signs_itself_and_is_read_by_anybody(vault, at):
    pem = vault.ask("GET", f"{at}/ca/pem", token="").content
    root = x509.load_pem_x509_certificate(pem)
    root.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    read = vault.did("GET", f"{at}/cert/ca", token="")["data"]["certificate"]
    assert x509.load_pem_x509_certificate(read.encode()) == root


def test_before_there_is_a_root_nothing_is_issued(vault):
    mount = vault.mount("pki")
    vault.did("POST", f"{mount}/roles/web", {"allow_any_name": True, **KEYS})
    body = {"common_name": "a.example.com"}
    assert vault.status("POST", f"{mount}/issue/web", body) in (400, 500)
    assert vault.status("POST", f"{mount}/root/generate/internal", KEYS) == 400


def test_an_issued_certificate_is_the_roots_and_for_the_names_asked(vault, at):
    data = issued(vault, at, ttl="24h", alt_names="app.example.com")
    made = x509.load_pem_x509_certificate(data["certificate"].encode())
    root = x509.load_pem_x509_certificate(data["issuing_ca"].encode())
    made.verify_directly_issued_by(root)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"www.example.com", "app.example.com"}
    assert made.serial_number == number(data["serial_number"])
    assert data["private_key"].startswith("-----BEGIN")
    assert data["expiration"] == int(made.not_valid_after_utc.timestamp())
    length = made.not_valid_after_utc - made.not_valid_before_utc
    assert DAY <= length.total_seconds() <= DAY + 60
    longest = x509.load_pem_x509_certificate(issued(vault, at, ttl="999h")["certificate"].encode())
    assert longest.not_valid_after_utc.timestamp() <= data["expiration"] + 2 * DAY + 60


def test_only_names_that_the_role_allows_are_issued(vault, at):
    for name in ("www.example.org", "example.com", ""):
        assert vault.status("POST", f"{at}/issue/web", {"common_name": name}) == 400
    assert vault.status("POST", f"{at}/issue/none", {"common_name": "www.example.com"}) == 400
    body = {"common_name": "www.example.com", "alt_names": "evil.example.org"}
    assert vault.status("POST", f"{at}/issue/web", body) == 400


def test_roles_are_read_listed_and_deleted(vault, at):
    data = vault.did("GET", f"{at}/roles/web")["data"]
    assert (data["allowed_domains"], data["allow_subdomains"]) == (["example.com"], True)
    assert data["max_ttl"] == 72 * 3600
    assert vault.did("LIST", f"{at}/roles")["data"]["keys"] == ["web"]
    assert vault.status("DELETE", f"{at}/roles/web") == 204
    assert vault.status("GET", f"{at}/roles/web") == 404


def test_a_revoked_certificate_stands_in_the_list_at_once(vault, at):
    kept, leaked = issued(vault, at), issued(vault, at)
    before = vault.did("GET", f"{at}/cert/{leaked['serial_number']}", token="")["data"]
    assert before["revocation_time"] == 0
    body = {"serial_number": leaked["serial_number"]}
    answer = vault.did("POST", f"{at}/revoke", body)["data"]
    assert answer["revocation_time"] > 0
    assert listed_as_revoked(vault, at) == {number(leaked["serial_number"])}
    after = vault.did("GET", f"{at}/cert/{leaked['serial_number']}", token="")["data"]
    assert after["revocation_time"] == answer["revocation_time"]
    vault.pause(1)
    again = vault.did("POST", f"{at}/revoke", body)["data"]
    assert again["revocation_time"] == answer["revocation_time"]
    other = vault.did("GET", f"{at}/cert/{kept['serial_number']}", token="")["data"]
    assert other["revocation_time"] == 0


def test_serials_are_listed_and_unknown_ones_refused(vault, at):
    serial = issued(vault, at)["serial_number"]
    assert serial in vault.did("LIST", f"{at}/certs")["data"]["keys"]
    assert vault.status("LIST", f"{at}/certs/revoked") == 404
    vault.did("POST", f"{at}/revoke", {"serial_number": serial.replace(":", "-")})
    assert vault.did("LIST", f"{at}/certs/revoked")["data"]["keys"] == [serial]
    assert vault.status("GET", f"{at}/cert/00:11:22", token="") == 404
    assert vault.status("POST", f"{at}/revoke", {"serial_number": "00:11:22"}) in (400, 404)
    assert vault.status("POST", f"{at}/revoke", {}) == 400


def test_the_root_does_not_revoke_itself(vault, at):
    root = x509.load_pem_x509_certificate(vault.ask("GET", f"{at}/ca/pem", token="").content)
    text = f"{root.serial_number:040x}"
    serial = ":".join(text[i : i + 2] for i in range(0, len(text), 2))
    assert vault.status("POST", f"{at}/revoke", {"serial_number": serial}) in (400, 500)


def test_the_list_is_written_anew_when_it_is_rotated(vault, at):
    first = x509.load_pem_x509_crl(vault.ask("GET", f"{at}/crl/pem", token="").content)
    vault.pause(2)
    assert vault.did("GET", f"{at}/crl/rotate")["data"]["success"] is True
    second = x509.load_pem_x509_crl(vault.ask("GET", f"{at}/crl/pem", token="").content)
    assert second.last_update_utc > first.last_update_utc
    read = vault.did("GET", f"{at}/cert/crl", token="")["data"]["certificate"]
    assert x509.load_pem_x509_crl(read.encode()).last_update_utc == second.last_update_utc


def test_how_long_a_list_holds_is_configured(vault, at):
    vault.did("POST", f"{at}/config/crl", {"expiry": "48h"})
    assert vault.did("GET", f"{at}/config/crl")["data"]["expiry"] in ("48h", "172800s")
    vault.did("GET", f"{at}/crl/rotate")
    crl = x509.load_der_x509_crl(vault.ask("GET", f"{at}/crl", token="").content)
    length = crl.next_update_utc - crl.last_update_utc
    assert abs(length.total_seconds() - 2 * DAY) <= 60


def test_a_deleted_root_issues_no_more(vault, at):
    assert vault.status("DELETE", f"{at}/root") in (200, 204)
    body = {"common_name": "www.example.com"}
    assert vault.status("POST", f"{at}/issue/web", body) in (400, 500)
