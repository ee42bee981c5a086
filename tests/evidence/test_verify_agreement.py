"""Ledger entries, manifests and artifacts must tell one story."""

import pytest

from evidence.deposit import KIND
from evidence.errors import BundleError
from evidence.verify import verify_bundle
from tests.evidence.chamber import Chamber, describe


def told(chamber: Chamber, bundle) -> tuple[int, str]:
    verdict = verify_bundle(bundle, chamber.trust)
    return verdict.exit_code, "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def other_than(value):
    return {"true": "false"}.get(value, "00" * 32) if isinstance(value, str) else not value


@pytest.mark.parametrize(
    "member",
    [
        "artifact_id",
        "name",
        "source",
        "call",
        "sensitive",
        "size",
        "target",
        "target_salt",
    ],
)
@pytest.mark.parametrize("missing", [False, True], ids=["other", "missing"])
def test_an_entry_that_says_other_than_its_manifest_is_named(chamber, member, missing):
    chamber.say("case.open", {})
    body = chamber.keep(describe(1))
    # The same manifest, entered again by someone with another story.
    story = {k: v for k, v in body.items() if k != member}
    if not missing:
        story[member] = other_than(body[member])
    chamber.say(KIND, story)
    chamber.integrate()
    code, said = told(chamber, chamber.export())
    assert code == 1
    wrong = member.removesuffix("_salt")
    assert f"does not agree with ledger entry 2 on {wrong}" in said


def test_a_manifest_of_another_case_is_named(chamber):
    chamber.say("case.open", {}, "INC-2")
    chamber.say("case.open", {})
    chamber.say(KIND, chamber.keep(describe(1), "INC-2"))
    chamber.integrate()
    code, said = told(chamber, chamber.export())
    assert code == 1
    assert "does not agree with ledger entry 3 on case" in said


def test_an_entry_that_names_another_artifact_than_its_manifest_is_named(chamber):
    chamber.say("case.open", {})
    body = chamber.keep(describe(1))
    chamber.say(KIND, body | {"stored_sha256": chamber.locker.put(b"other").sha256})
    chamber.integrate()
    code, said = told(chamber, chamber.export())
    assert code == 1
    assert "does not agree with ledger entry 2 on stored_sha256" in said
    assert "is an artifact that no manifest names" in said


def test_the_same_artifact_entered_twice_is_no_contradiction(chamber):
    chamber.say("case.open", {})
    chamber.say(KIND, chamber.keep(describe(1)))
    chamber.integrate()
    assert told(chamber, chamber.export()) == (3, "")


@pytest.mark.parametrize("member", ["manifest_sha256", "stored_sha256"])
def test_an_entry_that_names_no_artifact_is_not_exported(chamber, member):
    chamber.say("case.open", {})
    body = chamber.keep(describe(1))
    del body[member]
    chamber.say(KIND, body)
    chamber.integrate()
    with pytest.raises(BundleError, match=f"ledger entry 2 .* has no {member}"):
        chamber.export()
