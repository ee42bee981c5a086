"""Hostile requests at the door of `stanch serve`, and no secret anywhere it leaves a trace."""

import hashlib
import hmac
import json
import os
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select

from playbooks.case import store
from playbooks.case.spool import Spool
from playbooks.drills.deliver import Letter, signed
from playbooks.drills.scenario import SENDER
from playbooks.intake.answers import LARGEST
from playbooks.wiring.prefect_server import beside
from tests.postgres import Server, programs, server
from tests.stories.kindling import kindled
from tests.stories.restless import Restless, contained, restless
from tests.stories.test_drill import lies_in
from tests.stories.test_killed_postgres import on

MARK = "zq7mark"


@dataclass(frozen=True)
class Story:
    """One life of a deployment: what was asked of the door, what was printed, where it lies."""

    here: Restless
    folder: Path
    statuses: Mapping[str, int]
    answers: bytes
    known: tuple[int, int]
    printed: Mapping[str, str]
    database: bytes
    spooled: bytes
    secrets: Mapping[str, str]


def hostile(here: Restless, event: dict[str, Any]) -> dict[str, Letter]:
    """Return requests that must not get in, by what is wrong with each."""
    key, now = here.made.environment["STANCH_DRILL_SIEM_KEY"], here.world.now()
    good = signed(SENDER, key, event, now)

    def sealed(body: bytes) -> Letter:
        # Signed by a known sender as it stands: only what it holds can keep it out.
        stamp = good.headers["Stanch-Timestamp"].encode()
        made = hmac.new(key.encode(), stamp + b"." + body, hashlib.sha256).hexdigest()
        return Letter(body, dict(good.headers) | {"Stanch-Signature": f"v1={made}"})

    text = good.body
    bodies = {
        "nothing": b"",
        "no object": b"[]",
        "cut off": text[:-1],
        "duplicate key": text[:-1] + b', "source": "aws.guardduty"}',
        "nested": b'{"a":' * 20_000,
        "nested and closed": b"[" * 20_000 + b"]" * 20_000,
        "too large a number": b'{"severity": 1e999}',
        "no number": b'{"severity": NaN}',
        "wrong type": json.dumps({"uid": MARK, "severity": "8", "count": []}).encode(),
        "not UTF-8": b'{"uid": "\xff\xfe"}',
        "log lines": json.dumps({"uid": f'{MARK}\n{{"level": "info"}}\r\x1b[2J\u202e'}).encode(),
    }
    made = {name: sealed(body) for name, body in bodies.items()}
    made["oversized"] = sealed(text + b" " * LARGEST)
    made["forged"] = signed(SENDER, "0" * 64, event, now)
    made["nobody's"] = signed(f"nobody-{MARK}", key, event, now)
    made["altered"] = replace(good, body=text.replace(b"TARGET", b"TARGEt"))
    past = now.replace(year=now.year - 1)
    made["stale"] = signed(SENDER, key, event, past)
    return made


def ask(url: str, letter: Letter | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(
        url, letter.body if letter else None, dict(letter.headers) if letter else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def said(here: Restless, *command: str) -> str:
    child = here.begin(*command)
    child.wait(60)
    number = here.children.index(child)
    out = here.made.folder / f"child-{number:03}.out"
    return out.read_text() + out.with_suffix(".log").read_text()


def everything(here: Restless) -> bytes:
    """Return all rows of all tables as text."""
    tables = MetaData()
    tables.reflect(here.db.engine)
    found = []
    for table in tables.sorted_tables:
        rows = here.db.read(lambda conn, one=table: conn.execute(select(one)).all())
        for row in rows:
            values = [v.decode("latin-1") if isinstance(v, bytes) else str(v) for v in row]
            found.append(f"{table.name} {' '.join(values)}")
    return "\n".join(found).encode()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    try:
        programs()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("leaks")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in [n for n in os.environ if n.startswith("PREFECT_")] + ["DO_NOT_TRACK"]:
            patch.setenv(name, "")  # Given back at the end, whatever is made of it here.
            patch.delenv(name)
        shown = stack.enter_context(beside(folder))
        postgres: Server = stack.enter_context(server())
        assert shown.answers(90), "Prefect's server did not get up"
        fire = stack.enter_context(kindled(folder / "fire", PREFECT_API_URL=shown.url))
        here = stack.enter_context(restless(folder / "home", fire, **on(postgres)))
        yield lived(here, folder, postgres)


def lived(here: Restless, folder: Path, postgres: Server) -> Story:
    child = here.serve(prefect=True)
    here.insist(here.told(0, 1))
    good = here.sent
    here.deliver(here.told(0, 2))
    here.settled()
    answers = b""
    statuses: dict[str, int] = {}
    before = (len(here.alerts()), len(here.ours()))
    for name, letter in {**hostile(here, here.told(1, 7)), "replayed": good}.items():
        statuses[name], answer = ask(f"{here.url}/intake/generic", letter)
        answers += answer
    here.settled()
    known = (len(here.alerts()) - before[0], child.poll() is None)
    # Whoever is away leaves a trace of its own: in the spool, and in what is logged of it.
    postgres.stop("kill")
    here.insist(here.told(1, 8))
    spool = Spool(here.made.settings.spool_path)
    here.until(lambda: not spool.empty())
    spooled = spool.path.read_bytes()
    postgres.start()
    here.settled()
    contained(here)
    log, exported = here.log, here.made.folder / "bundle"
    printed = {path: ask(f"{here.url}/{path}")[1].decode() for path in ("metrics", "health")}
    incident = here.accepted[here.told(0, 1)["detail"]["id"]]
    printed |= {
        "export": said(here, "export", incident, "-o", str(exported)),
        "doctor": said(here, "doctor"),
        "show": said(here, "show", incident, "--json"),
        "timeline": said(here, "show", incident),
        "log": log,
    }
    environment = here.made.environment
    secrets = {
        "the sender's key": environment["STANCH_DRILL_SIEM_KEY"],
        "the external id": here.estate.external_id,
        "the database's password": postgres.url().partition("stanch:")[2].partition("@")[0],
        "the responder's key": environment["AWS_SECRET_ACCESS_KEY"],
        "the host's user data": here.estate.canary,
        "the host's session": here.world.instance_credentials(here.hosts[0]).secret_key,
    }
    for person in (here.made.alice, here.made.bob):
        lines = [one for one in person.read_text().split() if len(one) > 30]
        secrets |= {f"{person.stem}'s key, {n}": one for n, one in enumerate(lines)}
    return Story(
        here, folder, statuses, answers, known, printed, everything(here), spooled, secrets
    )


def test_nothing_hostile_gets_in_and_none_is_our_failure(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    assert story.known == (0, True)
    wrong = {name: status for name, status in story.statuses.items() if not 400 <= status < 500}
    assert wrong == {}
    assert MARK.encode() not in story.answers
    # What a known sender sent is kept with its reason; what nobody signed is not.
    letters = story.here.db.read(store.rejections)
    assert set(letters) == {f"siem:{SENDER}"}
    with capsys.disabled():
        print(
            f"\n{len(story.statuses)} hostile requests: {dict(Counter(story.statuses.values()))}, "
            f"{sum(letters.values())} kept as dead letters, 0 alerts more"
        )


def test_the_log_is_one_object_a_line_and_repeats_nothing_hostile(story: Story) -> None:
    lines = [one for one in story.printed["log"].splitlines() if one]
    assert len(lines) > 10
    for line in lines:
        assert {"ts", "level", "event", "logger"} <= json.loads(line).keys(), line
    assert MARK not in story.printed["log"]
    assert "\x1b" not in story.printed["log"]


def test_what_is_printed_says_something(story: Story) -> None:
    """Else it would be no wonder that it holds no secret."""
    assert "stanch_" in story.printed["metrics"]
    assert "siem" in story.printed["doctor"]
    assert json.loads(story.printed["show"])["status"].startswith("contained")
    assert len(story.spooled) > 1000
    assert b"alert" in story.spooled
    assert b"INC-0001" in story.database
    assert (story.here.made.folder / "bundle" / "bagit.txt").is_file()
    assert "timeline" in story.printed["timeline"]


def test_no_secret_lies_or_is_printed_anywhere(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(story.secrets) >= 8
    files = [p for p in story.folder.rglob("*") if p.is_file() and p.suffix != ".key"]
    assert any(p.name == "prefect.db" for p in files)
    contents = {str(p): p.read_bytes() for p in files}
    contents |= {f"printed by {name}": text.encode() for name, text in story.printed.items()}
    contents |= {"the database": story.database, "the spool as it was": story.spooled}
    contents |= {"an answer": story.answers}
    for name, secret in story.secrets.items():
        found = [where for where, data in contents.items() if lies_in(secret, data)]
        assert found == [], f"{name} lies in {found}"
    with capsys.disabled():
        print(f"\n{len(story.secrets)} secrets in none of {len(contents)} places")
