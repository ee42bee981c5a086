"""The URIs of keys: each has one form, and what may lead elsewhere later is no key's URI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.errors import KeyMaterialError
from evidence.keys import PLACE_FOR_SCHEME, place_of
from evidence.signing.elsewhere import WrapElsewhere
from evidence.signing.place import NO_CLIENTS

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WHERE = "?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/stanch/pin"
GOOD = {
    "vault": "vault-transit://prod/stanch-keys/log?version=1",
    "vault-deep": "vault-transit://prod/team/keys/log?version=12",
    "kms": f"awskms:{ARN}",
    "kms-china": f"awskms:{ARN.replace('arn:aws:', 'arn:aws-cn:')}",
    "kms-copied": f"awskms:{ARN.replace('key/', 'key/mrk-')}",
    "token": f"pkcs11:token=stanch;object=log{WHERE}",
    "token-by-id": f"pkcs11:token=stanch;object=log;id=%01%02{WHERE}",
    "file": "file:///etc/stanch/log.pem",
}
BAD = {
    "vault-without-version": "vault-transit://prod/keys/log",
    "vault-version-0": "vault-transit://prod/keys/log?version=0",
    "vault-latest": "vault-transit://prod/keys/log?version=latest",
    "vault-without-mount": "vault-transit://prod/log?version=1",
    "vault-up": "vault-transit://prod/keys/../sys/log?version=1",
    "vault-more": "vault-transit://prod/keys/log?version=1&version=2",
    "vault-fragment": "vault-transit://prod/keys/log?version=1#2",
    "vault-half-an-address": "vault-transit://[prod/keys/log?version=1",
    "vault-dots": "vault-transit://prod/keys/..?version=1",
    "vault-no-name": "vault-transit:///keys/log?version=1",
    "kms-alias": "awskms:arn:aws:kms:eu-west-1:111122223333:alias/stanch",
    "kms-id": "awskms:1234abcd-12ab-34cd-56ef-1234567890ab",
    "kms-other-service": f"awskms:{ARN.replace(':kms:', ':sqs:')}",
    "token-any": f"pkcs11:object=log{WHERE}",
    "token-without-pin": "pkcs11:token=a;object=b?module-path=/m.so",
    "token-relative": f"pkcs11:token=a;object=b{WHERE.replace('=/usr', '=usr')}",
    "token-twice": f"pkcs11:token=a;token=c;object=b{WHERE}",
    "unknown": "gcpkms:projects/x",
    "none": "",
    "path": "/etc/stanch/log.pem",
}


@pytest.mark.parametrize("uri", GOOD.values(), ids=GOOD.keys())
def test_a_key_has_a_place(uri: str) -> None:
    place = place_of(uri, NO_CLIENTS)
    assert (place is None) == uri.startswith("file:")


@pytest.mark.parametrize("uri", BAD.values(), ids=BAD.keys())
def test_what_is_no_key_s_uri_is_refused(uri: str) -> None:
    with pytest.raises(KeyMaterialError):
        place_of(uri, NO_CLIENTS)


@pytest.mark.parametrize(
    "uri",
    [
        f"pkcs11:token=a;object=b{WHERE}&pin-value=canary-1234",
        f"pkcs11:token=a;object=b;pin-value=canary-1234{WHERE}",
        "vault-transit://user:canary-1234@prod/keys/log?version=1",
        "vault-transit://prod/keys/log?version=1&token=canary-1234",
    ],
    ids=["pin", "pin-in-path", "login", "token"],
)
def test_a_secret_in_a_uri_is_refused_and_not_told_again(uri: str) -> None:
    with pytest.raises(KeyMaterialError) as refused:
        place_of(uri, NO_CLIENTS)
    assert "canary-1234" not in str(refused.value)


@given(st.sampled_from(sorted(PLACE_FOR_SCHEME)), st.text(max_size=60))
def test_no_text_breaks_the_reading(scheme: str, rest: str) -> None:
    try:
        place_of(f"{scheme}:{rest}", NO_CLIENTS)
    except KeyMaterialError:
        pass


def test_a_wrapping_key_s_reference_outlives_its_version_and_tells_no_place() -> None:
    def reference(uri: str) -> str:
        place = place_of(uri, NO_CLIENTS)
        assert place is not None
        return WrapElsewhere(place).reference

    one = reference("vault-transit://prod/keys/wrap?version=1")
    assert one == reference("vault-transit://prod/keys/wrap?version=2")
    others = ("vault-transit://prod/keys/wrap-2?version=1", f"awskms:{ARN}")
    assert len({one, *map(reference, others)}) == 3
    assert "prod" not in one
    assert len(one) == len("wrap:") + 16
