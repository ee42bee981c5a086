"""How long it takes to derive every duty of an incident, and to look at many open clocks.

    python bench/duties.py [--times 50]

All regimes are derived from one incident's facts with every event recorded, so that every clock is
computed. There is no peer: no other tool computes these clocks.
"""

import argparse
import time
from datetime import UTC, datetime, timedelta
from statistics import median

from playbooks.duties.anchor_names import anchor_names
from playbooks.duties.derive import Known, derive
from playbooks.duties.facts import read
from playbooks.duties.moment import parse
from playbooks.duties.reading import rulebook
from playbooks.duties.ticking import Ticking, tick

FACTS = {
    "personal_data": True,
    "electronic": True,
    "role": ["controller", "processor"],
    "data": ["national_id", "health", "payment_card", "contact"],
    "risk": "high",
    "residents": {"CA": 5000, "NY": 700, "TX": 250},
    "persons_in": {"DE": 900, "JP": 20},
    "member_state": "DE",
    "established_in": ["US", "DE", "GB", "JP", "SG"],
}
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AWARE = parse("2026-11-20T16:30[Europe/Berlin]")


def main() -> None:
    """Print one line a figure."""
    options = argparse.ArgumentParser()
    options.add_argument("--times", type=int, default=50)
    times = options.parse_args().times
    begun = time.perf_counter()
    book = rulebook()
    tell("read all rule files", time.perf_counter() - begun, 1)
    events = {name: AWARE for name in anchor_names() if ":" not in name}
    known = Known(read(FACTS), events)
    begun = time.perf_counter()
    duties = derive(book, known)
    tell("derive once, holidays not yet known", time.perf_counter() - begun, 1)
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        derive(book, known)
        took.append(time.perf_counter() - begun)
    many = [Ticking(f"r/{i}", NOW, NOW + timedelta(hours=i % 500)) for i in range(10_000)]
    begun = time.perf_counter()
    told = len(list(tick(many, NOW + timedelta(hours=100))))
    ticked = time.perf_counter() - begun
    tell(f"tick 10,000 open clocks, {told} reminders (goal 1,000 ms)", ticked, 1)
    dated = sum(d.clock.conservative_due is not None for d in duties)
    regimes = len({d.regime.id for d in duties})
    tell(
        f"derive {regimes} regimes, {len(duties)} duties, {dated} dated (goal 50 ms)", median(took)
    )


def tell(what: str, seconds: float, count: int = 0) -> None:
    """Print a figure in milliseconds; a median where it was taken more than once."""
    print(f"duties: {what}: {seconds * 1000:.1f} ms{'' if count else ' (median)'}")


if __name__ == "__main__":
    main()
