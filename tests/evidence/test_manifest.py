"""Manifests: one text for one meaning, nothing missing, nothing that contradicts itself."""

import dataclasses
import hashlib
import json
from datetime import UTC, datetime

import pytest

from evidence import jws
from evidence.canonical import canonical
from evidence.deposit import KIND, Acquisition, deposit
from evidence.errors import ManifestError
from evidence.manifest import TYP, Manifest, read_manifest, target_commitment, to_dict
from evidence.manifest_values import Claim, Derived, Encryption, Origin, Part
from tests.evidence.chamber import USER_DATA, describe

DIGEST = hashlib.sha256(b"x").hexdigest()
MANIFEST = Manifest(
    artifact_id="01",
    name="ec2.describe_instances",
    media_type="application/json",
    case="ab" * 16,
    source="instance_facts",
    call="ec2.describe_instances",
    target="cd" * 32,
    acquired_start="2026-11-23T10:00:00.000000Z",
    acquired_end="2026-11-23T10:00:01.000000Z",
    plain_digest=DIGEST,
    plain_size=1,
    stored_sha256=DIGEST,
    stored_size=1,
    encryption=None,
    sensitive=False,
    source_stable=True,
    tool="stanch",
    tool_version="0.1.0",
)
SEALED = dataclasses.replace(
    MANIFEST, sensitive=True, encryption=Encryption("wrap:1", "11"), plain_digest="ef" * 32
)
TOLD = dataclasses.replace(
    MANIFEST,
    stored_version="v1.null",
    parts=(Part(1, DIGEST), Part(0, DIGEST)),
    claims=(Claim("the host", "sha256", DIGEST),),
    derived=Derived((Origin("0a" * 16, DIGEST),), "redact", "1", DIGEST),
)


@pytest.mark.parametrize("manifest", [MANIFEST, SEALED, TOLD], ids=["plain", "sealed", "told"])
def test_a_manifest_comes_back_as_it_was_written(manifest):
    assert read_manifest(canonical(to_dict(manifest))) == manifest


def members(manifest=MANIFEST):
    return json.loads(canonical(to_dict(manifest)))


def leaves(value, path=()):
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name)
            yield from leaves(item, (*path, name))


PATHS = sorted({path for m in (MANIFEST, SEALED, TOLD) for path in leaves(members(m))})


@pytest.mark.parametrize("path", PATHS, ids=".".join)
@pytest.mark.parametrize("wrong", ["drop", 1, [], {}, "more"])
def test_a_member_that_is_missing_or_of_another_type_is_refused(path, wrong):
    for manifest in (MANIFEST, SEALED, TOLD):
        whole = members(manifest)
        place = whole
        try:
            for name in path[:-1]:
                place = place[name]
            _ = place[path[-1]]
        except (KeyError, TypeError):
            continue
        if wrong == [] and path[-1] in {"gaps", "claims", "parts"}:
            continue  # a manifest without them is one
        if wrong == "drop":
            del place[path[-1]]
        elif wrong == "more":
            place[path[-1] + "x"] = "more"
        else:
            place[path[-1]] = wrong
        with pytest.raises(ManifestError):
            read_manifest(canonical(whole))


@pytest.mark.parametrize(
    "changes",
    [
        {"sensitive": True},
        {"encryption": SEALED.encryption},
        {"plain_digest": "00" * 32},
        {"plain_size": 2},
        {"parts": (Part(2, DIGEST),)},
        {"acquired_end": "2026-11-23T09:00:00.000000Z"},
    ],
    ids=lambda c: next(iter(c)),
)
def test_a_manifest_that_contradicts_itself_is_refused(changes):
    wrong = dataclasses.replace(MANIFEST, **changes)
    with pytest.raises(ManifestError, match="contradicts itself"):
        read_manifest(canonical(to_dict(wrong)))


@pytest.mark.parametrize("size", ["-1", "01", "1.0", "", "9" * 20, 1])
def test_a_size_is_plain_decimal_text(size):
    whole = members()
    whole["stored"]["size"] = whole["plain"]["size"] = size
    with pytest.raises(ManifestError):
        read_manifest(canonical(whole))


@pytest.mark.parametrize("time", ["", "2026-11-23", "2026-11-23T10:00:00Z", "yesterday"])
def test_a_time_has_its_one_form(time):
    whole = members()
    whole["acquired"]["start"] = whole["acquired"]["end"] = time
    with pytest.raises(ManifestError):
        read_manifest(canonical(whole))


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": []},
        {"from": [{"artifact_id": "0a" * 16, "manifest_sha256": DIGEST}] * 2},
        {"from": [{"artifact_id": "0a", "manifest_sha256": DIGEST}]},
        {"map_sha256": "0a"},
        {"map_sha256": ""},
    ],
    ids=["from nothing", "twice from one", "no id", "no hash", "empty"],
)
def test_what_is_derived_names_each_origin_once(wrong):
    whole = members(TOLD)
    assert read_manifest(canonical(whole)) == TOLD
    whole["derived"] |= wrong
    with pytest.raises(ManifestError):
        read_manifest(canonical(whole))


def test_a_version_is_a_name_or_nothing():
    whole = members(TOLD)
    whole["stored"]["version"] = ""
    with pytest.raises(ManifestError):
        read_manifest(canonical(whole))


@pytest.mark.parametrize("spell", [json.dumps(members(), indent=1).encode(), b"[]", b"x", b"\xff"])
def test_any_other_spelling_is_refused(spell):
    with pytest.raises(ManifestError):
        read_manifest(spell)


def kept(chamber, item):
    """Deposit an item; return its ledger body and its manifest, opened with the public key."""
    now = datetime(2026, 11, 23, tzinfo=UTC)
    body = deposit(chamber.custody, item, Acquisition("facts", "i-0a1b", "ab" * 16, now, now))
    token = chamber.locker.read(body["manifest_sha256"]).decode()
    public = {chamber.signer.kid: chamber.signer.key.public_key()}
    return body, read_manifest(jws.verify(token, public, TYP)), token


def test_a_deposit_binds_bytes_manifest_and_ledger_body(chamber):
    body, manifest, _ = kept(chamber, describe(1))
    assert chamber.locker.read(body["stored_sha256"]) == describe(1).data
    assert (manifest.plain_digest, manifest.plain_size) == (
        hashlib.sha256(describe(1).data).hexdigest(),
        len(describe(1).data),
    )
    assert body["artifact_id"] == manifest.artifact_id
    assert manifest.target == target_commitment(bytes.fromhex(body["target_salt"]), "i-0a1b")
    assert KIND == "artifact.stored"


def test_a_sensitive_deposit_shows_its_content_nowhere_and_opens_with_the_wrapping_key(chamber):
    body, manifest, token = kept(chamber, USER_DATA)
    digest = hashlib.sha256(USER_DATA.data).hexdigest()
    everything = [json.dumps(body), token, json.dumps(to_dict(manifest))]
    everything += [p.read_text("latin1") for p in chamber.locker.root.rglob("*") if p.is_file()]
    assert not [text for text in everything if "hunter2" in text or digest in text]
    found = chamber.locker.open_sensitive(manifest.stored_sha256, manifest.encryption, chamber.wrap)
    assert found == USER_DATA.data


def test_two_deposits_of_one_item_are_two_artifacts(chamber):
    one, two = kept(chamber, describe(1))[0], kept(chamber, describe(1))[0]
    assert one["artifact_id"] != two["artifact_id"]
    assert one["manifest_sha256"] != two["manifest_sha256"]
    assert one["stored_sha256"] == two["stored_sha256"]
