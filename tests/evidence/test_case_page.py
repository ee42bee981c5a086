"""The page for people: harmless whatever it retells, and never anything but what entries say."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence import bag, ledger, page_html
from evidence.custody.record import view
from evidence.custody.state import LOCKER
from evidence.custody.statement import HOLD, TRANSFER
from evidence.sources.item import Item
from evidence.verify import verify_bundle
from tests.evidence.chamber import CASE, USER_DATA, fill
from tests.evidence.custodians import Desk
from tests.evidence.forgery import rebag, restate

TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "section",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "bdi", "code", "pre", "span", "br"),
}
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "scope"}
# Each would do harm, or hide, in a page that let it stand.
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></pre></bdi><iframe src='//evil.example'>",
    "<!--",
    "<![CDATA[",
    "&lt;b&gt;&#x3c;",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "\u2066a\u2069\u200f\u061c",
    "\x00\x07\x1b[2J\r\n\x7f\x85\u2028\ufeff\u200b",
    "\U000e0041\ue000\u00ad",
]
TURNING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f]")


class Seen(HTMLParser):
    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = set(), [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data!r}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data!r}")


def harmless(page: str) -> Seen:
    seen = Seen(page)
    assert seen.open == []
    assert seen.tags <= TAGS
    assert {name for name, _ in seen.attributes} <= ATTRIBUTES
    assert not TURNING.search(page)
    return seen


def test_it_tells_who_collected_what_and_when_and_what_is_not_proven(original):
    chamber, bundle = original
    seen = harmless((bundle / bag.REPORT).read_text())
    told = " ".join("".join(seen.text).split())
    for word in ("INC-1", "alice@example.org", "i-0a1b2c3d", "ec2.user_data", "isolate_instance"):
        assert word in told, word
    assert "2026-11-23T10:00:03.000000Z to 2026-11-23T10:00:04.000000Z" in told
    for path in (bundle / bag.ARTIFACTS).iterdir():
        assert told.count(path.name) >= 2
    assert "Entries in it, of all cases9" in told
    assert "What 1 encrypted artifacts hold, without their key." in told
    assert "This page is no proof" in told
    assert USER_DATA.data.decode() not in told
    assert chamber.signer.kid not in told


def test_it_may_load_and_run_nothing_and_its_own_style_is_the_one_allowed(original):
    page = (original[1] / bag.REPORT).read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    style = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert len(style) == 1
    assert not re.search(r"url|@|//", style[0].replace("@media print", ""))
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert page.index("Content-Security-Policy") < page.index("<title>") < page.index("<style>")


def test_it_tells_who_holds_what_now_and_what_broke_the_rules(chamber):
    fill(chamber)
    with chamber.begin() as conn:
        desk = Desk(ledger.pseudonym(conn, CASE))
        facts, more, sealed = (one.artifact_id for one in view(conn, CASE).artifacts.values())

    def say(kind, *signers, **said):
        chamber.say(kind, desk.body(kind, chamber.now, *signers, **said))

    say(HOLD, "carol", hold="HOLD-1", artifacts=[sealed], reason="a <b>court</b> asked")
    say(TRANSFER, LOCKER, "bob", artifacts=[facts], **{"from": LOCKER, "to": "bob", "place": "6A"})
    say(TRANSFER, "alice", "bob", artifacts=[more], **{"from": "alice", "to": "bob", "place": "x"})
    chamber.integrate()
    bundle = chamber.export()
    (broken,) = verify_bundle(bundle, chamber.trust).problems
    assert "breaks a rule of custody" in broken.what
    page = (bundle / bag.REPORT).read_text()
    harmless(page)
    section = page[page.index("<h2>Custody</h2>") : page.index("<h2>Timeline</h2>")]
    rows = [Seen(row).text for row in re.findall(r"<tr>.*?</tr>", section)]
    held = {row[1]: row[-1:] for row in rows if row[0].isdigit()}
    assert held == {
        "ec2.describe_1": ["bob"],
        "ec2.describe_2": ["the operator's own locker"],
        "ec2.user_data": ["HOLD-1"],
    }
    (handed,) = [row for row in rows if "6A" in row]
    assert (handed[0], handed[2], handed[3]) == (
        "ec2.describe_1",
        "the operator's own locker",
        "bob",
    )
    assert "so alice cannot hand it over" in section
    assert "a &lt;b&gt;court&lt;/b&gt; asked" in section


@pytest.mark.parametrize("words", HOSTILE, ids=ascii)
def test_hostile_names_do_no_harm(chamber, words):
    chamber.say(
        "case.open", {"finding": words, "more": [{"x": words}]}, actor=words.replace("\0", "")
    )
    chamber.keep(Item(words, words, b"{}", True, words))
    chamber.integrate()
    bundle = chamber.export()
    harmless((bundle / bag.REPORT).read_text())
    assert verify_bundle(bundle, chamber.trust).exit_code == 3


@given(st.text(max_size=200))
def test_any_text_comes_out_as_itself_or_as_its_code_points(words):
    try:
        words.encode()
    except UnicodeEncodeError:
        return
    seen = harmless(page_html.text(words))
    back = re.sub(
        r'<span class="odd">U\+([0-9A-F]+)</span>',
        lambda found: f"&#x{found[1]};",
        page_html.text(words),
    )
    assert "".join(Seen(page_html.text(words)).text) == "".join(seen.text)
    assert not re.search(r"<(?!/?bdi>)", back)


def test_a_long_text_is_cut_and_said_to_be(chamber):
    chamber.say("note", {"x": "y" * 60000})
    chamber.integrate()
    page = (chamber.export() / bag.REPORT).read_text()
    assert "(60008 characters; cut)" in page
    assert len(page) < 12000


def test_it_says_which_entries_were_erased(original, chamber):
    fill(chamber)
    with chamber.begin() as conn:
        conn.exec_driver_sql("DELETE FROM ledger_openings WHERE entry_id IN (3, 4)")
    page = (chamber.export() / bag.REPORT).read_text()
    assert "What 2 erased entries said." in page
    assert "Which artifacts the erased entries 2 named." in page
    assert "isolate_instance" not in page


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda page: page.replace(b"alice", b"mallory", 1), 1, "is not what ledger entries"),
        (lambda page: page + b"<script></script>", 1, "is not what ledger entries"),
        (lambda page: b"", 2, "is not in the form urn:stanch:report:1, the only one known here"),
        (lambda page: page.replace(b"report:1", b"report:2"), 2, "is not in the form urn:stanch:"),
    ],
    ids=["edited", "added to", "emptied", "of a form to come"],
)
def test_the_holder_of_the_manifest_key_cannot_tell_people_otherwise(
    original, copy, change, code, said
):
    path = copy / bag.REPORT
    path.write_bytes(change(path.read_bytes()))
    rebag(copy)
    restate(copy, original[0].signer)
    verdict = verify_bundle(copy, original[0].trust)
    assert verdict.exit_code == code
    (problem,) = verdict.problems
    assert problem.file == bag.REPORT
    assert problem.what.startswith(said)
