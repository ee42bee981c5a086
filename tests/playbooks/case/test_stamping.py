"""Who is asked for a stamp, when, what is kept of it, and that nothing waits for anybody."""

import dataclasses
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evidence import ledger, timestamp_store
from evidence.errors import BundleError
from evidence.verify import verify_bundle
from playbooks.case import exporting, stamping
from playbooks.case.record import DEPLOYMENT, Record
from playbooks.case.sealing import anchor, checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.timestamps import timestamps
from playbooks.drills.range import tsa
from playbooks.errors import SettingsError
from playbooks.respond import timestamping
from playbooks.wiring import timestamp_terms, trusting
from playbooks.wiring.parts import Parts, assemble
from playbooks.wiring.settings import Settings, load
from playbooks.wiring.timestamp_terms import Askable

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
INCIDENT = "INC-1"


@dataclasses.dataclass
class Site:
    """A deployment and two authorities over HTTP, all on one clock that a test moves."""

    folder: Path
    now: datetime = NOW
    parts: Parts = None
    urls: ExitStack = dataclasses.field(default_factory=ExitStack)

    @property
    def db(self) -> Store:
        return Store(self.parts.engine)

    @property
    def askable(self) -> list[Askable]:
        return timestamp_terms.authorities(self.parts.settings)

    def say(self, kind: str = "change", case: str = INCIDENT, **body: Any) -> None:
        record = Record("stanch", self.parts.now, self.parts.random)
        self.db.commit(lambda conn: record.note(conn, case, kind, body))

    def due(self) -> list[str]:
        minutes = self.parts.settings.timestamping.minutes
        return self.db.read(lambda c: stamping.due(c, self.askable, self.now, minutes))

    def kinds(self, case: str = DEPLOYMENT) -> list[str]:
        return [e.leaf.kind for e in self.db.read(lambda c: list(ledger.entries(c, case)))]

    def once(self) -> None:
        timestamping.once(self.parts, self.db, self.askable)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site(tmp_path)
    lines = ['home = "home"', 'origin = "stanch.test/ledger"']
    for name in ("tsa-a", "tsa-b"):
        runs = tsa.authority(tmp_path / name, name, lambda: made.now)
        url = made.urls.enter_context(tsa.serve(runs))
        # The files are named relative to the settings'.
        lines += [f"[timestamps.{name}]", f'url = "{url}"', f'certificate = "{name}/tsa.pem"']
        lines += [f'root = "{name}/root.pem"', f'policy = "{tsa.POLICY}"']
    (tmp_path / "stanch.toml").write_text("\n".join(lines))
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    make(load())
    made.parts = dataclasses.replace(assemble(load()), now=lambda: made.now)
    with made.urls:
        yield made
    made.parts.engine.dispose()
    made.parts.pool.shutdown()


def integrated(site: Site) -> None:
    checkpoint(site.db, site.parts)


def test_everybody_is_asked_once_something_was_recorded_and_then_only_hourly(site):
    assert site.due() == []
    site.say()
    integrated(site)
    assert site.due() == ["tsa-a", "tsa-b"]
    site.once()
    assert site.kinds() == ["tsa.token", "tsa.token"]
    integrated(site)
    # What the tokens themselves added is not stamped again, however long it lies.
    site.now += timedelta(days=3)
    assert site.due() == []
    site.now = NOW + timedelta(minutes=59)
    site.say()
    integrated(site)
    assert site.due() == []
    site.now = NOW + timedelta(minutes=60)
    assert site.due() == ["tsa-a", "tsa-b"]


@pytest.mark.parametrize("kind", ["case.seal", "export"])
def test_a_seal_or_an_export_is_stamped_at_once(site, kind):
    site.say()
    integrated(site)
    site.once()
    site.say(kind)
    assert site.due() == []  # Not before it has its place.
    integrated(site)
    assert site.due() == ["tsa-a", "tsa-b"]
    site.once()
    integrated(site)
    assert site.due() == []


def test_an_authority_that_is_gone_is_noted_once_and_tried_again_later(site):
    site.urls.close()
    site.say()
    integrated(site)
    site.once()
    assert site.kinds() == ["tsa.failed", "tsa.failed"]
    assert site.due() == []
    site.now += stamping.AGAIN
    assert site.due() == ["tsa-a", "tsa-b"]
    site.once()
    assert site.kinds() == ["tsa.failed", "tsa.failed"]
    [first, _] = site.db.read(timestamp_store.tries)
    assert (first.since, first.at) == (NOW, site.now)
    assert first.failed == "it could not be reached: ConnectionError"


def test_an_authority_whose_answers_do_not_hold_gives_nothing_that_is_kept(site, tmp_path):
    rogue = tsa.authority(tmp_path / "rogue", "tsa-a", lambda: site.now)
    site.say()
    with tsa.serve(rogue) as url:
        askable = [dataclasses.replace(site.askable[0], url=url), site.askable[1]]
        outcomes = stamping.stamp(site.db, site.parts, askable, ["tsa-a", "tsa-b"])
    assert [bool(one.failed) for one in outcomes] == [True, False]
    assert "is not pinned" in outcomes[0].failed
    assert [kept.authority for kept in site.db.read(timestamp_store.tokens)] == ["tsa-b"]
    assert sorted(site.kinds()) == ["tsa.failed", "tsa.token"]


def test_an_export_is_stamped_first_and_verifies(site):
    site.say("case.open")
    done, outcomes = exporting.export(site.parts, site.db, INCIDENT, site.folder / "bundle")
    assert [(one.authority, one.failed) for one in outcomes] == [("tsa-a", ""), ("tsa-b", "")]
    trust = json.loads((site.parts.settings.home / "keys" / "trust.json").read_text())
    assert trust == trusting.trust(site.parts.settings, site.parts.keys)
    verdict = verify_bundle(done.path, trust)
    assert (verdict.timestamped, verdict.problems) == (True, ())
    # Nobody is asked again for what is stamped.
    again, outcomes = exporting.export(site.parts, site.db, INCIDENT, site.folder / "again")
    assert outcomes == []
    assert verify_bundle(again.path, trust).timestamped


def test_an_export_without_an_answer_is_made_and_says_so(site):
    site.urls.close()
    site.say("case.open")
    done, outcomes = exporting.export(site.parts, site.db, INCIDENT, site.folder / "bundle")
    assert all(one.failed for one in outcomes)
    verdict = verify_bundle(done.path, trusting.trust(site.parts.settings, site.parts.keys))
    assert (verdict.exit_code, verdict.timestamped, verdict.problems) == (3, False, ())


def test_for_an_incident_that_is_none_nobody_is_asked(site):
    site.say("case.open")
    with pytest.raises(BundleError, match="has no entries"):
        exporting.export(site.parts, site.db, "INC-9", site.folder / "bundle")
    assert site.kinds() == []


def test_an_authority_that_is_no_longer_asked_still_counts(site):
    site.say("case.open")
    exporting.export(site.parts, site.db, INCIDENT, site.folder / "first")
    known = {
        name: one.model_copy(update={"url": None})
        for name, one in site.parts.settings.timestamps.items()
    }
    settings = site.parts.settings.model_copy(update={"timestamps": known})
    site.parts = dataclasses.replace(site.parts, settings=settings)
    assert site.due() == []
    done, outcomes = exporting.export(site.parts, site.db, INCIDENT, site.folder / "bundle")
    assert outcomes == []
    assert verify_bundle(done.path, trusting.trust(settings, site.parts.keys)).timestamped


def test_two_processes_that_ask_at_once_keep_one_token_each(site):
    site.say()
    integrated(site)
    work = lambda: stamping.stamp(site.db, site.parts, site.askable, ["tsa-a"])  # noqa: E731
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = site.db.read(timestamp_store.tokens)
    assert len({(one.size, one.authority) for one in kept}) == len(kept) >= 1
    assert site.kinds().count("tsa.token") == len(kept)


def test_the_thread_of_a_responder_stamps_what_is_due_and_ends(site, monkeypatch):
    monkeypatch.setattr(timestamping, "LOOK", 0.05)
    site.say()
    integrated(site)
    ending = threading.Event()
    thread = threading.Thread(target=timestamping.keep, args=(site.parts, site.db, ending))
    thread.start()
    end = time.monotonic() + 20
    while site.kinds().count("tsa.token") < 2 and time.monotonic() < end:
        time.sleep(0.05)
    ending.set()
    thread.join(10)
    assert not thread.is_alive()
    assert site.kinds().count("tsa.token") == 2


def test_a_silent_authority_holds_no_seal_up_and_no_end(site, monkeypatch):
    monkeypatch.setattr(timestamping, "LOOK", 0.05)
    monkeypatch.setattr("evidence.timestamp_client.ask.__kwdefaults__", {"patience": 2.0})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        known = {
            name: one.model_copy(update={"url": url})
            for name, one in site.parts.settings.timestamps.items()
        }
        settings = site.parts.settings.model_copy(update={"timestamps": known})
        site.parts = dataclasses.replace(site.parts, settings=settings)
        site.say("case.seal")
        integrated(site)
        ending = threading.Event()
        thread = threading.Thread(target=timestamping.keep, args=(site.parts, site.db, ending))
        thread.start()
        with silent.accept()[0]:  # Somebody is asking now, and waits.
            begin = time.monotonic()
            site.say("case.seal")
            anchor(site.db, site.parts)
            took = time.monotonic() - begin
            ending.set()
            thread.join(15)
        assert not thread.is_alive()
    assert took < 1.5
    assert {one.failed for one in site.db.read(timestamp_store.tries)} == {
        "it did not answer within 2 s"
    }


def test_without_authorities_nothing_runs(site):
    settings = site.parts.settings.model_copy(update={"timestamps": {}})
    parts = dataclasses.replace(site.parts, settings=settings)
    timestamping.keep(parts, site.db, threading.Event())
    assert trusting.trust(settings, site.parts.keys).keys() == {
        "origin",
        "log_vkey",
        "manifest_keys",
    }


# The doctor.


def levels(site: Site, name: str = "tsa-a") -> list[tuple[str, str]]:
    place = Place(site.parts.settings, lambda: site.now)
    return [(one.level, one.what) for one in timestamps(place, name)]


def test_the_doctor_tells_how_an_authority_stands(site):
    assert levels(site)[1] == ("ok", "has nothing to stamp yet")
    site.say()
    integrated(site)
    assert levels(site)[1][0] == "warn"
    site.once()
    assert [level for level, _ in levels(site)] == ["ok", "ok"]
    site.say()
    integrated(site)
    site.now += timedelta(hours=3)
    assert "last asked" in levels(site)[1][1]
    site.urls.close()
    site.once()
    level, what = levels(site)[1]
    assert level == "warn"
    assert what.endswith("it could not be reached: ConnectionError")


def test_the_doctor_warns_before_a_certificate_ends(site):
    year = timedelta(days=365)
    site.now += 10 * year - timedelta(days=20)
    assert levels(site)[0][0] == "warn"
    site.now += timedelta(days=30)
    assert levels(site)[0][0] == "bad"


def test_the_doctor_names_a_clock_that_differs(site):
    site.say()
    integrated(site)
    site.parts = dataclasses.replace(site.parts, now=lambda: site.now + timedelta(minutes=9))
    site.once()
    assert "its clock and this machine's differ by 9 min" in levels(site)[1][1]


# The settings.


def timestamps_of(**members: Any) -> Settings:
    known = {"certificate": "a.pem", "root": "b.pem", "policy": "1.2.3"} | members
    return Settings(timestamps={"first": known})


@pytest.mark.parametrize("url", ["http://tsa.example/", "ftp://tsa.example/", "https://"])
def test_nobody_is_named_who_is_asked_in_the_open(url):
    with pytest.raises(ValueError, match="must be https, or http on loopback"):
        timestamps_of(url=url)


def test_what_is_pinned_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    with pytest.raises(SettingsError, match=r"timestamps\.first: .*a\.pem cannot be read"):
        timestamp_terms.authorities(timestamps_of())
    (tmp_path / "a.pem").write_text("x")
    (tmp_path / "b.pem").write_text("x")
    with pytest.raises(SettingsError, match=r"its certificate is not certificates in PEM"):
        timestamp_terms.authorities(timestamps_of())


def test_a_quorum_beyond_those_named_is_refused(site):
    settings = site.parts.settings.model_copy(
        update={"timestamping": timestamp_terms.Timestamping(quorum=3)}
    )
    with pytest.raises(SettingsError, match=r"timestamping\.quorum is 3, but"):
        trusting.trust(settings, site.parts.keys)


def test_the_settings_in_the_guide_are_settings(tmp_path, monkeypatch):
    guide = (Path(__file__).parents[3] / "docs/operations/timestamps.md").read_text()
    shown = re.search(r"\n    \[timestamps.*?\n\n(?=[A-Z])", guide, re.DOTALL)[0]
    lines = [line.strip() for line in shown.splitlines() if line.strip() not in ("...", "")]
    second = ['url = "https://tsa.second.example/"', 'certificate = "b.pem"']
    second += ['root = "b-chain.pem"', 'policy = "1.2.3"']
    at = lines.index("[timestamps.second]") + 1
    lines[at:at] = second
    (tmp_path / "stanch.toml").write_text("\n".join(lines).replace("# quorum", "quorum"))
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    settings = load()
    assert [*settings.timestamps] == ["first", "second"]
    shown_defaults = timestamp_terms.Timestamping(minutes=settings.timestamping.minutes, quorum=2)
    assert settings.timestamping == shown_defaults
    assert shown_defaults.minutes == timestamp_terms.Timestamping().minutes
