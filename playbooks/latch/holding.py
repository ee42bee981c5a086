"""Compares whom the latch names with whom incidents hold by it. Pure.

The policy cannot be written by check-and-set, so of two incidents that latch at the same moment one
may drop the other's principal: this is where that shows.
"""

from collections.abc import Iterable, Iterator, Mapping

from playbooks.latch.organisation import Found


def compared(named: Iterable[str], held: Mapping[str, str], canary: str) -> Iterator[Found]:
    """Say whom the latch lacks, and whom it names for nobody.

    `held` maps principals (ARNs) to the incident that holds each; `canary` is its role's name.
    """
    there = set(named)
    for arn in sorted(held.keys() - there):
        yield Found(
            "holds",
            "bad",
            f"{held[arn]} holds {arn}, and the latch does not name it: it is NOT denied by it",
            "See who changed the policy (CloudTrail, UpdatePolicy); then open an incident about it "
            "anew, or put it into the list.",
        )
    for arn in sorted(there - held.keys()):
        what = "a check that was killed" if arn.endswith(f":role/{canary}") else "somebody else"
        yield Found(
            "holds",
            "warn",
            f"the latch names {arn}, which no incident holds: it is {what} who put it there",
            "Take it out of the list if nobody needs it.",
        )
    if there == held.keys():
        yield Found("holds", "ok", f"the latch names whom incidents hold ({len(there)})")
