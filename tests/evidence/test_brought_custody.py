"""Who brought evidence, and what is withheld of custody, both verifiers judge alike."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from evidence import bundle
from evidence.custody.statement import BROUGHT, HOLD, RELEASE, RETAIN, TRANSFER
from evidence.leaf import stamp
from evidence.verify_report import Verdict
from evidence.withheld import Withheld
from tests.evidence.agreed import verify_bundle
from tests.evidence.chamber import CASE, Chamber
from tests.evidence.custodians import Desk
from tests.evidence.test_verify_custody import STAYS, Story


@pytest.fixture
def story(chamber: Chamber) -> Story:
    return Story(chamber)


def stays(of: dict[str, Any], **other: str) -> dict[str, str]:
    return {name: of[name] for name in STAYS} | other


def bring(story: Story, *signers: str, **other: Any) -> int:
    kept = sorted((stays(story.plain), stays(story.sealed)), key=lambda one: one["artifact_id"])
    said = {"origin": "web-7", "kept": kept} | other
    return story.sign(BROUGHT, *(signers or ("alice",)), **said)


def changed(story: Story, **members: Any) -> None:
    """Say what nobody signed."""
    body = story.body(BROUGHT, "alice", origin="web-7", kept=[stays(story.plain)])
    body["statement"] |= members
    story.chamber.say(BROUGHT, body)


def again(story: Story) -> None:
    body = story.body(BROUGHT, "alice", origin="web-7", kept=[stays(story.plain)])
    story.chamber.say(BROUGHT, body)
    story.chamber.say(BROUGHT, body)


def late(story: Story) -> None:
    body = story.body(BROUGHT, "alice", origin="web-7", kept=[stays(story.plain)])
    story.chamber.now += timedelta(days=8)
    story.chamber.say(BROUGHT, body)


def elsewhere(story: Story) -> None:
    story.desk = Desk("cd" * 16)
    bring(story)


GOOD: dict[str, Callable[[Story], object]] = {
    "all of it": bring,
    "one artifact": lambda s: bring(s, kept=[stays(s.sealed)]),
    "by two, each for itself": lambda s: (bring(s), bring(s, "bob")),
    "under a hold": lambda s: (s.hold(), bring(s)),
    "before it goes": lambda s: (bring(s), s.dispose(s.sealed)),
}
BAD: dict[str, tuple[Callable[[Story], object], str]] = {
    "by two": (lambda s: bring(s, "alice", "bob"), "has 2 signatures; expected 1"),
    "other hashes": (
        lambda s: bring(s, kept=[stays(s.plain, stored_sha256="ab" * 32)]),
        "has other hashes than were signed",
    ),
    "another size": (
        lambda s: bring(s, kept=[stays(s.plain, size="1")]),
        "has other hashes than were signed",
    ),
    "none of this case": (
        lambda s: bring(s, kept=[stays(s.plain, artifact_id="ab" * 16)]),
        "is none of this case",
    ),
    "disposed of before": (lambda s: (s.dispose(s.sealed), bring(s)), "was disposed of at"),
    "nothing": (lambda s: changed(s, kept=[]), "kept is malformed"),
    "out of order": (
        lambda s: changed(
            s,
            kept=sorted((stays(s.plain), stays(s.sealed)), key=lambda one: one["artifact_id"])[
                ::-1
            ],
        ),
        "kept is malformed",
    ),
    "from nowhere": (lambda s: changed(s, origin=""), "origin is malformed"),
    "an origin of two lines": (lambda s: changed(s, origin="a\nb"), "origin is malformed"),
    "a member more": (lambda s: changed(s, hold="H-1"), "has exactly"),
    "changed since": (lambda s: changed(s, origin="web-8"), "over another statement"),
    "signed once, used twice": (again, "took effect before"),
    "signed too long ago": (late, "expected within 7 days"),
    "another case": (elsewhere, "for case cdcd"),
    "as a hold": (
        lambda s: s.chamber.say(BROUGHT, s.body(HOLD, "alice", hold="H-1", artifacts=None)),
        "was signed as hold.set",
    ),
}


@pytest.mark.parametrize("tell", GOOD.values(), ids=GOOD)
def test_what_was_brought_as_it_should_be_is_no_finding(
    story: Story, tell: Callable[[Story], object]
) -> None:
    tell(story)
    verdict = verify_bundle(story.export(), story.trust())
    assert (verdict.exit_code, verdict.problems) == (3, ())


@pytest.mark.parametrize(("tell", "said"), BAD.values(), ids=BAD)
def test_what_was_not_is_invalid(story: Story, tell: Callable[[Story], object], said: str) -> None:
    tell(story)
    verdict = verify_bundle(story.export(), story.trust())
    assert verdict.exit_code == 1
    assert said in "\n".join(problem.what for problem in verdict.problems)


def live(story: Story) -> None:
    """Do something of every kind whose values can be withheld, between what is brought."""
    bring(story)
    story.hold()
    story.hand("stanch", "alice")
    story.hand("alice", "carol")
    until = stamp(story.chamber.now + timedelta(seconds=3))
    story.sign(RETAIN, "bob", until=until, artifacts=[story.sealed["artifact_id"]])
    story.sign(RELEASE, "bob", "carol", hold="H-1")
    bring(story, "carol")


CODES = {
    RETAIN: 3,
    TRANSFER: 3,
    RELEASE: 3,
    # A release follows from its hold, which nobody can tell then.
    HOLD: 2,
}


def judge(story: Story, kind: str) -> Verdict:
    """Export without the values of a kind, and return what both say of it."""
    story.chamber.integrate()
    chamber, withheld = story.chamber, Withheld(values=(kind,))
    with chamber.begin() as conn:
        path = chamber.folder / "some"
        bundle.export(conn, chamber.locker, CASE, chamber.signer, path, withheld=withheld)
    return verify_bundle(path, story.trust())


@pytest.mark.parametrize("kind", CODES)
def test_whatever_kind_is_withheld_the_rest_is_judged(story: Story, kind: str) -> None:
    live(story)
    verdict = judge(story, kind)
    assert verdict.exit_code == CODES[kind]
    assert verdict.withheld


@pytest.mark.parametrize("kind", CODES)
def test_what_is_disposed_of_after_what_is_withheld_is_not_sure(story: Story, kind: str) -> None:
    live(story)
    story.chamber.now += timedelta(minutes=1)
    story.dispose(story.sealed)
    verdict = judge(story, kind)
    assert verdict.exit_code == 2
    assert "or it follows from an entry that is not open" in verdict.problems[-1].what
