"""The ledger is published when it is asked for, and after each checkpoint while Stanch serves."""

import dataclasses
import json
import logging
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from evidence.__main__ import main
from evidence.tiles_bucket import TilesBucket
from playbooks.case.record import Record
from playbooks.case.sealing import checkpoint
from playbooks.case.store import Store
from playbooks.desk.cli.init import make
from playbooks.desk.cli.publish import publish
from playbooks.desk.doctor.place import Place
from playbooks.desk.doctor.published import published
from playbooks.errors import SettingsError
from playbooks.respond import publishing
from playbooks.wiring import publish_terms, trusting
from playbooks.wiring.parts import Parts, assemble, now
from playbooks.wiring.settings import load
from tests.playbooks.desk.doctor.conftest import levels


@dataclasses.dataclass
class Site:
    """A deployment in a folder, which publishes into another."""

    folder: Path

    def __post_init__(self) -> None:
        self.settle(f'uri = "{(self.folder / "public").as_uri()}"')

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def parts(self) -> Parts:
        return assemble(load())

    def settle(self, *lines: str) -> None:
        text = ['home = "home"', 'origin = "stanch.test/ledger"', *self.more(lines)]
        (self.folder / "stanch.toml").write_text("\n".join(text) + "\n")

    def more(self, lines: tuple[str, ...]) -> list[str]:
        return ["[publishing]", *lines] if lines else []

    def say(self, *cases: str) -> None:
        """Record something in these cases, and sign."""
        parts = self.parts
        db, record = Store(parts.engine), Record("alice", parts.now, parts.random)
        for case in cases:
            db.commit(lambda conn, case=case: record.note(conn, case, "change", {}))
        checkpoint(db, parts)
        parts.engine.dispose()

    def followed(self) -> int:
        parts = self.parts
        trust = self.folder / "trust.json"
        trust.write_text(json.dumps(trusting.trust(parts.settings, parts.keys)))
        parts.engine.dispose()
        last = str(self.folder / "last")
        return main(["follow", str(self.public), "--trust", str(trust), "--last", last])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("STANCH_CONFIG", str(tmp_path / "stanch.toml"))
    tmp_path.chmod(0o700)
    made = Site(tmp_path)
    make(load())
    return made


def test_it_is_published_when_it_is_asked_for(site: Site, capsys: Any) -> None:
    with pytest.raises(SettingsError, match="no entry yet"):
        publish()
    for size in (1, 2):
        site.say("INC-1")
        publish()
        assert f"published {site.public.as_uri()}: {size} entries" in capsys.readouterr().out
        assert site.followed() == 3
    publish()
    assert "unchanged" in capsys.readouterr().out


def test_while_stanch_serves_each_head_is_published_and_the_last_one_too(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LOOK", 0.01)
    parts, ending = site.parts, threading.Event()
    thread = threading.Thread(target=publishing.keep, args=(parts, Store(parts.engine), ending))
    thread.start()
    for _ in range(3):
        site.say("INC-1", "INC-2")
        assert until(lambda: site.public.joinpath("checkpoint").exists())
    site.say("INC-3")
    ending.set()
    thread.join()
    parts.engine.dispose()
    assert (site.public / "checkpoint").read_text().splitlines()[1] == "7"
    assert site.followed() == 3


def until(so: Any) -> bool:
    for _ in range(2000):
        if so():
            return True
        threading.Event().wait(0.01)
    return False


def test_what_goes_wrong_is_logged_once_and_holds_nothing_up(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publishing, "LOOK", 0.01)
    site.public.write_text("in the way")
    site.say("INC-1")
    parts, ending = site.parts, threading.Event()
    with caplog.at_level(logging.ERROR):
        thread = threading.Thread(target=publishing.keep, args=(parts, Store(parts.engine), ending))
        thread.start()
        assert until(lambda: "not published" in caplog.text)
        ending.wait(0.1)
        site.public.unlink()
        assert until(lambda: site.public.joinpath("checkpoint").exists())
        ending.set()
        thread.join()
    parts.engine.dispose()
    assert len(caplog.records) == 1
    assert site.followed() == 3


def test_a_restored_old_database_is_not_published(site: Site) -> None:
    site.say("INC-1")
    shutil.copytree(site.folder / "home", site.folder / "before")
    site.say("INC-1", "INC-1")
    publish()
    assert site.followed() == 3
    # With the signer's memory, too: so that it signs.
    shutil.rmtree(site.folder / "home")
    shutil.move(site.folder / "before", site.folder / "home")
    site.say("INC-2")
    parts = site.parts
    place = parts.publishes()
    assert place is not None
    done, failed = publishing.once(parts, Store(parts.engine), place, "")
    parts.engine.dispose()
    assert (done, "3 entries were published but the ledger's head holds 2" in failed) == ("", True)
    assert (site.public / "checkpoint").read_text().splitlines()[1] == "3"


def test_the_doctor_says_whether_what_is_published_is_the_ledger_s_own(site: Site) -> None:
    place = Place(load(), now)
    site.say("INC-1")
    assert levels(published(place)) == [("published", "warn")]
    publish()
    site.say("INC-1")
    assert levels(published(place)) == [("published", "ok")]
    path = site.public / "checkpoint"
    good = path.read_text()
    for other in (good.replace("\n1\n", "\n9\n"), good.replace("\n1\n", "\n2\n"), "x"):
        path.write_text(other)
        assert levels(published(place)) == [("published", "bad")]
    site.settle()
    assert levels(published(Place(load(), now))) == []


def test_nothing_is_published_unless_it_is_said_where(site: Site) -> None:
    site.settle()
    with pytest.raises(SettingsError, match=r"\[publishing\]"):
        publish()
    parts = site.parts
    assert parts.publishes() is None
    # Returns at once.
    publishing.keep(parts, Store(parts.engine), threading.Event())
    parts.engine.dispose()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['uri = "/srv/log"'], "must be file:///FOLDER"),
        (['uri = "file://host/srv"'], "must be file:///FOLDER"),
        (['uri = "file:srv"'], "must be file:///FOLDER"),
        (['uri = "s3://b"'], "or s3://BUCKET"),
        (['uri = "s3://bucket/log"'], "needs account and region"),
        (['uri = "https://example.org"'], "must be file:///FOLDER"),
        (['uri = "file"'], "must be file:///FOLDER"),
    ],
)
def test_a_place_that_cannot_be_is_refused(site: Site, lines: list[str], said: str) -> None:
    site.settle(*lines)
    with pytest.raises(SettingsError, match=said):
        load()


def test_a_plain_endpoint_beyond_loopback_is_refused(site: Site) -> None:
    bucket = ['uri = "s3://log-of-ours/a"', 'account = "111122223333"', 'region = "eu-west-1"']
    site.settle(*bucket, 'endpoint = "http://s3.example.org"')
    with pytest.raises(SettingsError, match="https"):
        load()
    site.settle(*bucket)
    parts = site.parts
    place = parts.publishes()
    parts.engine.dispose()
    assert isinstance(place, TilesBucket)
    assert (place.bucket.name, place.bucket.prefix) == ("log-of-ours", "a/")
    granted = publish_terms.statements(parts.settings, "111122223333", "aws")
    assert [s["Resource"] for s in granted] == [
        "arn:aws:s3:::log-of-ours",
        "arn:aws:s3:::log-of-ours/a/*",
        "arn:aws:s3:::log-of-ours/a/tile/*.p/*",
    ]
    assert publish_terms.statements(parts.settings, "444455556666", "aws") == []
