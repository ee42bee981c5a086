"""Timestamps tell when entries were recorded, whatever the operator's clock, or one TSA's, says."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evidence import bag, ledger, timestamp
from evidence.__main__ import main
from evidence.note import checkpoint_text
from evidence.timestamp_check import check
from evidence.timestamp_client import Stamped
from evidence.timestamp_store import keep, tell, tokens, tries
from evidence.verify import Verdict, verify_bundle
from tests.evidence.forgery import read_lines, rebag, restate, write_lines
from tests.evidence.stamping import Stamping, stamper, stamping, three_hours
from tests.evidence.test_verifier_alone import HOOK, ROOT

NONE, HOUR, DAY = timedelta(), timedelta(hours=1), timedelta(days=1)
OPENSSL = shutil.which("openssl")
Forge = Callable[[Path], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = stamping(tmp_path_factory.mktemp("site"), NONE, NONE)
    three_hours(made)
    made.export()
    yield made
    made.chamber.engine.dispose()


@pytest.fixture
def copy(site: Stamping, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site.chamber.folder / "bundle", tmp_path / "copy"))


def told(verdict: Verdict) -> str:
    return "\n".join(f"{p.file}: {p.what}" for p in verdict.problems)


def forged(site: Stamping, bundle: Path, forge: Forge) -> Verdict:
    """Return the verdict after a forgery by somebody who holds the manifest key."""
    forge(bundle)
    rebag(bundle)
    restate(bundle, site.chamber.signer)
    return verify_bundle(bundle, site.trust)


def files(bundle: Path, suffix: str) -> list[Path]:
    return sorted((bundle / "data/time").glob(f"*{suffix}"), key=lambda p: (len(p.name), p.name))


def test_a_stamped_bundle_is_timestamped(site, copy):
    verdict = verify_bundle(copy, site.trust)
    assert told(verdict) == ""
    assert (verdict.exit_code, verdict.timestamped) == (3, True)
    assert verdict.status == "valid but unwitnessed and open-ended"


def test_each_entry_has_a_window_that_holds_its_time(site, copy):
    verdict = verify_bundle(copy, site.trust)
    entries = read_lines(copy, bag.ENTRIES)
    assert [t.index for t in verdict.times] == [entry["index"] for entry in entries]
    before = [t.not_before for t in verdict.times]
    # Two entries each hour: the first hour's have nothing before them.
    assert before[:2] == [None, None]
    assert all(before[2:])
    for entry, window in zip(entries, verdict.times, strict=True):
        claimed = datetime.fromisoformat(json.loads(entry["leaf"])["record_time"])
        assert claimed <= datetime.fromisoformat(window.not_after)
        if window.not_before:
            assert datetime.fromisoformat(window.not_before) <= claimed
            width = datetime.fromisoformat(window.not_after) - datetime.fromisoformat(
                window.not_before
            )
            assert width < HOUR + timedelta(minutes=1)


def test_people_are_told_by_when_it_was_recorded(site, copy, tmp_path, capsys):
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(site.trust))
    assert main(["verify", str(copy), "--trust", str(trust)]) == 3
    latest = verify_bundle(copy, site.trust).times[-1].not_after
    assert f"entries were recorded by {latest} at the latest" in capsys.readouterr().out


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on this machine")
def test_openssl_takes_every_token_of_the_bundle(copy):
    for token in files(copy, ".tsr"):
        size, _, name = token.stem.partition("-")
        text, chain = (token.with_name(n) for n in (f"{size}.txt", f"{name}.pem"))
        for over in (["-data", text], ["-queryfile", token.with_suffix(".tsq")]):
            done = subprocess.run(
                [OPENSSL, "ts", "-verify", *over, "-in", token, "-CAfile", chain],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
    assert len(files(copy, ".tsr")) == 6


@pytest.mark.skipif(OPENSSL is None, reason="there is no openssl on this machine")
@pytest.mark.parametrize("indent", [2, None])
def test_the_guide_in_the_bundle_checks_every_token(site, copy, tmp_path, indent):
    def guide() -> subprocess.CompletedProcess:
        script = re.search(r"```sh\n(.*?)```", (copy / bag.GUIDE).read_text(), re.DOTALL)[1]
        return subprocess.run(
            ["sh", "-c", script],
            cwd=copy,
            env=os.environ | {"TRUST": str(trust)},
            capture_output=True,
            text=True,
            check=False,
        )

    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(site.trust, indent=indent))
    done = guide()
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(line for line in done.stdout.splitlines() if ".tsr" in line) == sorted(
        f"data/time/{token.name}: OK" for token in files(copy, ".tsr")
    )
    other = stamper(tmp_path / "other", "tsa-a").pinned.trust()
    trust.write_text(json.dumps(site.trust | {"timestamp_authorities": [other]}, indent=indent))
    assert guide().returncode != 0


def test_the_stamped_text_is_what_the_log_signed(copy):
    head = (copy / bag.CHECKPOINT).read_text().splitlines()
    for text in files(copy, ".txt"):
        assert text.read_text().splitlines()[0] == head[0]
        assert text.read_text().splitlines()[1] == text.stem


def test_without_rfc3161_client_the_verdict_says_that_nothing_was_checked(site, copy, tmp_path):
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(site.trust))
    code = HOOK + "\nfrom evidence.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
    done = subprocess.run(
        [sys.executable, "-c", code, "verify", copy, "--trust", trust, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["timestamped"], verdict["problems"]) == (3, False, [])
    assert any("timestamps were not checked: rfc3161-client" in w for w in verdict["lacking"])


@pytest.mark.parametrize(("found", "enough"), [("1.0.5", False), ("1.0.6", True), ("2.0", True)])
def test_a_client_that_took_one_authority_for_another_is_not_relied_on(
    site, copy, monkeypatch, found, enough
):
    monkeypatch.setattr("evidence.timestamp_check.version", lambda name: found)
    verdict = verify_bundle(copy, site.trust)
    assert verdict.timestamped is enough
    assert any("rfc3161-client 1.0.5 is too old" in why for why in verdict.lacking) is not enough


def test_a_bundle_whose_auditor_names_no_authority_is_untimestamped(site, copy):
    verdict = verify_bundle(copy, site.chamber.trust)
    assert (verdict.exit_code, verdict.timestamped, told(verdict)) == (3, False, "")
    assert any("names no timestamp authority" in why for why in verdict.lacking)


def drop(pattern: str) -> Forge:
    def forge(bundle: Path) -> None:
        for path in (bundle / "data/time").glob(pattern):
            path.unlink()

    return forge


def test_one_authority_of_two_is_no_quorum_of_two(site, copy):
    verdict = forged(site, copy, drop("*-tsa-b.*"))
    assert (verdict.exit_code, verdict.timestamped, told(verdict)) == (3, False, "")
    [why] = [why for why in verdict.lacking if why.startswith("untimestamped")]
    assert "1 of the 2 timestamp authorities" in why
    assert why.endswith("not tsa-b")
    assert all(t.not_before is t.not_after is None for t in verdict.times)
    lenient = verify_bundle(copy, site.trust | {"timestamp_quorum": 1})
    assert lenient.timestamped
    assert all(t.not_after for t in lenient.times)


def test_a_case_that_went_on_after_the_last_token_is_untimestamped(site, copy):
    newest = files(copy, ".txt")[-1].stem
    verdict = forged(site, copy, drop(f"{newest}*"))
    assert (verdict.exit_code, verdict.timestamped) == (3, False)
    assert verdict.times[-1].not_after is None
    assert verdict.times[0].not_after is not None


def swap_tokens(bundle: Path) -> None:
    """Put the token of one checkpoint in the place of another's."""
    first, last = files(bundle, "-tsa-a.tsr")[0], files(bundle, "-tsa-a.tsr")[-1]
    first.write_bytes(last.read_bytes())


def swap_authorities(bundle: Path) -> None:
    token = files(bundle, "-tsa-a.tsr")[0]
    for suffix in (".tsr", ".tsq"):
        other = token.with_name(token.name.replace("tsa-a", "tsa-b")).with_suffix(suffix)
        token.with_suffix(suffix).write_bytes(other.read_bytes())


def other_request(bundle: Path) -> None:
    token = files(bundle, "-tsa-a.tsr")[0]
    text = (token.with_name(token.stem.partition("-")[0] + ".txt")).read_bytes()
    token.with_suffix(".tsq").write_bytes(timestamp.request(text, "2.999.3161.1", 5))


def alter_token(bundle: Path) -> None:
    token = files(bundle, "-tsa-a.tsr")[0]
    data = token.read_bytes()
    token.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])


def other_root(bundle: Path) -> None:
    text = files(bundle, ".txt")[0]
    lines = text.read_text().splitlines()
    lines[2] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    text.write_text("\n".join([*lines, ""]))


def other_log(bundle: Path) -> None:
    text = files(bundle, ".txt")[0]
    text.write_text(text.read_text().replace("log.example", "log.other"))


def no_consistency(bundle: Path) -> None:
    write_lines(bundle, bag.TIME_PROOFS, read_lines(bundle, bag.TIME_PROOFS)[1:])


def later_noted(bundle: Path) -> None:
    """Claim that a token was noted by an earlier entry, to move what follows it."""
    lines = read_lines(bundle, bag.TIME_NOTED)
    lines[-1]["entry"]["index"] -= 1
    write_lines(bundle, bag.TIME_NOTED, lines)


def noted_by_another(bundle: Path) -> None:
    lines = read_lines(bundle, bag.TIME_NOTED)
    entry = read_lines(bundle, bag.ENTRIES)[-1]
    proof = read_lines(bundle, bag.PROOFS)[-1]
    lines[-1] |= {"entry": entry, "path": proof["path"]}
    write_lines(bundle, bag.TIME_NOTED, lines)


def add_file(bundle: Path) -> None:
    (bundle / "data/time/readme.html").write_text("<script>")


def other_certificate(bundle: Path) -> None:
    shutil.copy(bundle / "data/time/tsa-b.pem", bundle / "data/time/tsa-a.pem")


@pytest.mark.parametrize(
    ("forge", "code", "because"),
    [
        (swap_tokens, 1, "-tsa-a.tsr: tsa-a: it stamps something else than the checkpoint's text"),
        (swap_authorities, 1, "-tsa-a.tsr: tsa-a: token carries a certificate that is not pinned"),
        (other_request, 1, "-tsa-a.tsr: tsa-a: it answers another request: its nonce is not"),
        (alter_token, 1, "-tsa-a.tsr: tsa-a: its signature does not hold"),
        (other_root, 1, ".txt: the tree of"),
        (other_log, 1, ".txt: is of another log, 'log.other/custody/v1'"),
        (no_consistency, 1, ".txt: "),
        (later_noted, 1, "noted.jsonl: line 6: "),
        (noted_by_another, 1, "noted.jsonl: line 6: is no entry that notes a token"),
        (add_file, 1, "readme.html: is no part of a bundle's timestamps"),
        (other_certificate, 1, "tsa-a.pem: is not the certificate of tsa-a in the trust input"),
        (drop("*-tsa-a.tsq"), 2, "-tsa-a.tsr: its request is missing"),
        (drop("*.txt"), 2, ".txt, which it stamps"),
        (drop("consistency.jsonl"), 1, "consistency.jsonl: is missing"),
    ],
)
def test_what_was_changed_is_named(site, copy, forge, code, because):
    verdict = forged(site, copy, forge)
    assert verdict.exit_code == code
    assert because in told(verdict), told(verdict)


@pytest.mark.parametrize(
    ("changed", "because"),
    [
        ({"policy": "2.999.3161.9"}, "was made under policy 2.999.3161.1, not 2.999.3161.9"),
        ({"certificate": "rogue", "root": "rogue"}, "a certificate that is not pinned"),
    ],
)
def test_whoever_the_auditor_does_not_mean_is_found(site, copy, tmp_path, changed, because):
    rogue = stamper(tmp_path / "rogue", "tsa-a").pinned.trust()
    listed = site.trust["timestamp_authorities"]
    first = listed[0] | {k: rogue[k] if v == "rogue" else v for k, v in changed.items()}
    verdict = verify_bundle(copy, site.trust | {"timestamp_authorities": [first, listed[1]]})
    assert (verdict.exit_code, verdict.timestamped) == (1, False)
    assert f"tsa-a: {'it ' if 'policy' in changed else 'token carries '}{because}" in told(verdict)


def test_the_tokens_of_a_stranger_neither_count_nor_hurt(site, copy):
    listed = site.trust["timestamp_authorities"][:1]
    trust = site.trust | {"timestamp_authorities": listed, "timestamp_quorum": 1}
    verdict = verify_bundle(copy, trust)
    assert (verdict.exit_code, verdict.timestamped, told(verdict)) == (3, True, "")


def test_trust_that_contradicts_itself_is_no_trust(site, copy):
    verdict = verify_bundle(copy, site.trust | {"timestamp_quorum": 3})
    assert verdict.exit_code == 4
    assert "timestamp_quorum is not 1 to 2" in told(verdict)


def test_an_expired_certificate_is_named(tmp_path):
    made = stamping(tmp_path)
    end = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    for letter in "ab":
        made.stampers.append(
            stamper(tmp_path / letter, f"tsa-{letter}", lambda: made.chamber.now, end=end)
        )
    made.chamber.say("change", {})
    made.stamp()
    # It was good when the token was made, and stays so.
    assert verify_bundle(made.export("early"), made.trust).timestamped
    made.chamber.now += HOUR
    made.chamber.say("change", {})
    with pytest.raises(Exception, match="tsa-a had expired at the token's time"):
        made.stamp()
    made.chamber.engine.dispose()


def test_tokens_are_noted_in_the_ledger_once(site):
    chamber = site.chamber
    with chamber.begin() as conn:
        kept = tokens(conn)
        noted = [e.body for e in ledger.entries(conn, "deployment")]
    digests = [hashlib.sha256(one.answer).hexdigest() for one in kept]
    assert sorted(digests) == sorted(body["token_sha256"] for body in noted)
    assert {body["authority"] for body in noted} == {"tsa-a", "tsa-b"}
    assert all(one.index is not None for one in kept)


@pytest.mark.parametrize("chamber", ["sqlite", "postgresql"], indirect=True)
def test_of_two_processes_that_stamp_at_once_one_notes_the_token(chamber, tmp_path):
    one = stamper(tmp_path / "a", now=lambda: chamber.now)
    chamber.say("change", {})
    size = chamber.integrate().size
    with chamber.begin() as conn:
        text = checkpoint_text(ledger.latest_checkpoint(conn).checkpoint).encode()
    asked, answer = one.stamp(text)
    stamped = Stamped("tsa-a", asked, answer, check(one.pinned, text, asked, answer))
    now = chamber.tick()

    def keep_it(number: int) -> bool:
        with chamber.begin() as conn:
            salt = bytes([number]) * 32
            kept = keep(conn, size, stamped, "deployment", "stanch", now=now, salt=salt)
            tell(conn, "tsa-a", "" if kept else "late", now=now)
            return kept

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(keep_it, range(4))) == [False, False, False, True]
    with chamber.begin() as conn:
        [kept] = tokens(conn)
        assert (kept.asked, kept.answer, kept.time) == (asked, answer, stamped.token.time)
        [noted] = list(ledger.entries(conn, "deployment"))
        assert kept.entry == noted.id
        assert [one.authority for one in tries(conn)] == ["tsa-a"]
