"""`stanch timestamps renew`: each authority stamps what the others stamped before."""

from evidence import timestamp_store
from tests.playbooks.desk.console import stanch
from tests.playbooks.desk.keyed import Home, said


def noted_and_stamped(home: Home) -> tuple[int, int]:
    """Return the largest index that notes a token, and the smallest of each one's last sizes."""
    parts = home.parts()
    with parts.engine.connect() as conn:
        noted = [kept.index for kept in timestamp_store.tokens(conn) if kept.index is not None]
        return max(noted), min(timestamp_store.last_sizes(conn).values())


def test_each_authority_stamps_what_notes_the_others_tokens(stamped: Home) -> None:
    assert said(stamped.verdict("before")) == ""
    noted, last = noted_and_stamped(stamped)
    assert last <= noted
    ran = stanch("timestamps", "renew")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.count("stamped") == 2
    assert noted_and_stamped(stamped)[1] > noted
    verdict = stamped.verdict("renewed")
    assert (said(verdict), verdict.timestamped) == ("", True)


def test_one_authority_alone_renews_nothing(keyed: Home) -> None:
    assert keyed.kinds() == []
    ran = stanch("timestamps", "renew")
    assert (ran.status, "two are needed" in ran.err) == (1, True)
