"""What a verb gives back is true exactly when it happened."""

from playbooks.case.answers import Approval, Done, Failed, Kept, Refusal


def test_only_what_happened_is_true() -> None:
    assert Done("s", "verified")
    assert Approval("Q-1", "bob")
    assert Kept("s", ({"name": "a"},), ())
    assert not Failed("s", "why")
    assert not Refusal("Q-1", "why")
    assert not Kept("s", (), ({"name": "a"},))


def test_what_was_made_is_named_and_what_failed_made_nothing() -> None:
    made = Done("s", "verified", {"snapshots": [{"id": "snap-1"}, {"id": "snap-2"}]})
    assert made.ids("snapshots") == ("snap-1", "snap-2")
    assert made.ids("volumes") == Failed("s", "why").ids("snapshots") == ()
