"""The audit lines of a window are kept, none is lost that has no time, and marks are found."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.sources.audit_window import AuditWindow
from evidence.sources.item import Item, Missed
from evidence.sources.vault_audit_log import VaultAuditLog
from tests.actions.vault import site
from tests.evidence.test_vault_facts import Place

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def line(at: datetime, text: str = "x") -> str:
    # As Vault writes it: nanoseconds, and the time first.
    return json.dumps({"time": f"{at:%Y-%m-%dT%H:%M:%S}.123456789Z", "request": {"path": text}})


def window(path: Path, start: datetime, end: datetime, *marks: str) -> tuple[bytes, AuditWindow]:
    with path.open("rb") as file:
        made = AuditWindow(file, path.stat(), start, end, marks)
        return b"".join(iter(made.read, b"")), made


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(-5, 5), st.integers(0, 5))
def test_exactly_the_lines_of_the_window_are_given(hours: list[int], start: int, on: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit.log"
        rows = [line(NOW + hour * HOUR, str(n)) for n, hour in enumerate(hours)]
        path.write_text("".join(f"{row}\n" for row in rows))
        first = NOW + start * HOUR
        found, made = window(path, first, first + on * HOUR + timedelta(seconds=1))
        wanted = [r for r, h in zip(rows, hours, strict=True) if start <= h <= start + on]
        assert found.decode().splitlines() == wanted
        assert (made.lines, made.kept, made.untimed) == (len(rows), len(wanted), 0)


def test_what_has_no_time_is_kept_and_what_is_too_long_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    odd = ["not json", '{"time": 5}', "[]", '{"time": "2026-01-01T00:00:00"}', "y" * (3 << 20)]
    path.write_text("\n".join([*odd, line(NOW - 9 * HOUR)]) + "\n")
    found, made = window(path, NOW - HOUR, NOW)
    assert found.decode() == "\n".join(odd) + "\n"
    assert made.untimed >= len(odd)


def test_a_log_may_grow_while_it_is_read_and_may_not_shrink(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(line(NOW) + "\n")
    with path.open("rb") as file:
        made = AuditWindow(file, path.stat(), NOW - HOUR, NOW + HOUR)
        with path.open("a") as more:
            more.write(line(NOW) + "\n")
        assert made.read()
        assert made.stable()
        path.write_text("")
        assert not made.stable()


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()
    made.root.sys.enable_audit_device("file", options={"file_path": "discard"}, path="file")
    return made


def collect(place: Place, logs: tuple[str, ...], *marks: str) -> list[Item | Missed]:
    """Collect; each stream is read when it comes, as a deposit does."""
    found: list[Item | Missed] = []
    now = datetime.fromtimestamp(place.world.seconds(), UTC)
    source = VaultAuditLog(site.NAME, logs, now - HOUR, now + HOUR, marks)
    for one in source.collect(place.clients):
        if isinstance(one, Item) and one.stream:
            data = b"".join(iter(one.stream.read, b""))
            one = Item(one.name, one.media_type, data, one.sensitive, one.call)
        found.append(one)
    return found


def named(found: list[Item | Missed], name: str) -> Any:
    [one] = [o for o in found if isinstance(o, Item) and o.name == name]
    return json.loads(one.data)


def test_the_logs_of_a_folder_are_kept_packed_ones_too_and_a_token_is_found_by_its_accessor(
    place: Place, tmp_path: Path
) -> None:
    login = place.estate.apps["web"]
    token = site.log_in(place.world, login)
    client = place.world.client(token)
    accessor = client.auth.token.lookup_self()["data"]["accessor"]
    client.adapter.get("/v1/secret/data/web/db")
    lines = place.world.audit_lines("file")
    half = len(lines) // 2
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "audit.log").write_text("".join(f"{one}\n" for one in lines[half:]))
    packed = gzip.compress("".join(f"{one}\n" for one in lines[:half]).encode())
    (folder / "audit.log.1.gz").write_bytes(packed)
    found = collect(place, (str(folder), str(tmp_path / "none.log")), accessor)
    logs = [o for o in found if isinstance(o, Item) and o.media_type == "application/x-ndjson"]
    assert [o.sensitive for o in logs] == [True, True]
    assert b"".join(o.data for o in logs[::-1]).decode().splitlines() == lines
    assert named(found, "vault_audit_log.outcome")["state"] == "partial"  # none.log
    marked = [
        row["text"]
        for one in found
        if isinstance(one, Item) and one.name.endswith(".lines")
        for row in json.loads(one.data)
    ]
    hashed = place.world.core.audits["file"].hash(accessor)
    assert sorted(marked) == sorted(one for one in lines if hashed in one)
    assert any("secret/data/web/db" in text for text in marked)
    assert [m.error_code for m in found if isinstance(m, Missed)] == ["FileNotFoundError"]


def test_a_cut_gzip_file_is_kept_as_far_as_it_goes(place: Place, tmp_path: Path) -> None:
    now = datetime.fromtimestamp(place.world.seconds(), UTC)
    rows = [line(now, f"{n}-{n * 7919}") for n in range(5000)]
    packed = gzip.compress("\n".join(rows).encode())
    log = tmp_path / "audit.log.2.gz"
    log.write_bytes(packed[: len(packed) // 2])
    found = collect(place, (str(log),))
    told = named(found, "vault_audit_log.outcome")
    assert told["state"] == "partial"
    assert any("ends early" in why for why in told["why"])
    assert told["counts"]["kept"] > 0
