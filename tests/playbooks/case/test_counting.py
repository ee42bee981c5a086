"""When the ledger counts its cases: at each export and seal, and now and then while it grows."""

import dataclasses
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger, ledger_heads
from evidence.verify import verify_bundle
from playbooks.case import counting, exporting
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.respond import integrator
from playbooks.wiring import trusting
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import load

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
INCIDENT = "INC-1"


@dataclasses.dataclass
class Site:
    """A deployment whose clock a test moves."""

    parts: Parts
    now: datetime = NOW

    @property
    def db(self) -> Store:
        return Store(self.parts.engine)

    def say(self, kind: str = "change", case: str = INCIDENT) -> None:
        record = Record("stanch", self.parts.now, self.parts.random)
        self.db.commit(lambda conn: record.note(conn, case, kind, {}))

    def counts(self) -> list[int]:
        """Return how many entries each count covers."""
        found = self.db.read(lambda c: list(ledger.entries(c, ledger_heads.CASE)))
        return [one.body["entries"] for one in found]

    def export(self, out: Path) -> Any:
        exporting.export(self.parts, self.db, INCIDENT, out)
        return verify_bundle(out, trusting.trust(self.parts.settings, self.parts.keys))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    (tmp_path / "stanch.toml").write_text('home = "home"\norigin = "stanch.test/ledger"\n')
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    make(load())
    made = Site(assemble(load()))
    made.parts = dataclasses.replace(made.parts, now=lambda: made.now)
    yield made
    made.parts.engine.dispose()


def test_every_bundle_that_is_exported_is_complete(site, tmp_path):
    for number in range(3):
        site.say()
        site.say(case="INC-2")
        verdict = site.export(tmp_path / str(number))
        assert (verdict.problems, verdict.complete) == ((), True)
        assert verdict.counted.entries == number + 1

    page = (tmp_path / "2" / "report.html").read_text()
    assert "by the ledger" in page
    assert f"{verdict.counted.entries}, as its entry {verdict.counted.index} counts them" in page


def test_what_others_write_while_it_is_signed_is_counted_anew(site, tmp_path, monkeypatch):
    """On PostgreSQL others commit meanwhile; here they do right after the count."""
    counted = counting.count
    busy = iter([True, True, False])

    def and_more(db: Store, parts: Parts) -> None:
        counted(db, parts)
        if next(busy):
            site.say(case="INC-2")

    monkeypatch.setattr(counting, "count", and_more)
    site.say()
    assert site.export(tmp_path / "bundle").complete
    assert len(site.counts()) == 3


def test_a_ledger_that_never_rests_is_exported_all_the_same_and_the_verdict_says_so(
    site, tmp_path, monkeypatch
):
    counted = counting.count

    def and_more(db: Store, parts: Parts) -> None:
        counted(db, parts)
        site.say(case="INC-2")

    monkeypatch.setattr(counting, "count", and_more)
    site.say()
    verdict = site.export(tmp_path / "bundle")
    assert (verdict.exit_code, verdict.problems, verdict.complete) == (3, (), False)
    assert "what 1 later ones hold is not shown" in verdict.lacking[-1]


def test_nothing_is_counted_twice(site):
    counting.count(site.db, site.parts)
    assert site.counts() == []
    site.say()
    for _ in range(3):
        counting.count(site.db, site.parts)
    assert site.counts() == [1]
    site.say()
    counting.count(site.db, site.parts)
    assert site.counts() == [1, 3]


def test_an_entry_waits_for_so_many_minutes_until_it_is_counted(site):
    minutes = timedelta(minutes=site.parts.settings.heads_minutes)
    site.say()
    integrator.once(site.parts, site.db)
    site.now += minutes - timedelta(seconds=1)
    site.say()
    integrator.once(site.parts, site.db)
    assert site.counts() == []
    site.now += timedelta(seconds=1)
    integrator.once(site.parts, site.db)
    assert site.counts() == [2]
    assert site.db.read(counting.is_head)
    # That it was counted, or stamped, is nothing to be counted.
    for kind in ("tsa.token", "heads"):
        site.say(kind, "deployment")
    integrator.once(site.parts, site.db)
    site.now += 9 * minutes
    integrator.once(site.parts, site.db)
    assert site.counts() == [2]


def test_counts_of_many_who_write_at_once_agree_with_the_ledger(site):
    def work(case: str) -> None:
        for _ in range(8):
            site.say(case=case)
            counting.count(site.db, site.parts)

    threads = [threading.Thread(target=work, args=(f"INC-{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    checkpoint(site.db, site.parts)
    with site.parts.engine.execution_options(read_only=True).begin() as conn:
        ledger.replay(conn)
    assert site.counts() == sorted(site.counts())
