"""`report.html`: one case for a person to read, made only from the bundle's other files.

The same files give the same bytes, so the verifier makes it again and compares. It proves nothing
by itself and says so. Standard library and cryptography only.
"""

from collections.abc import Iterator

from evidence import page_html as h
from evidence.case_facts import ARTIFACT_STORED, Facts
from evidence.case_page_custody import custody
from evidence.manifest import Manifest
from evidence.strict_json import canonical_form

FORM = "urn:stanch:report:1"

_ERASED = "erased"
_VERDICTS = (
    ("0", "valid: everything below holds, and witnesses and timestamps from outside support it"),
    ("1", "invalid: something was altered; the line that names it says what"),
    ("2", "incomplete: something is missing"),
    ("3", "valid, but no quorum of witnesses or of timestamps outside the operator supports it"),
    ("4", "not judged: no trust.json was given, or it is malformed"),
)


def case_page(facts: Facts) -> bytes:
    """Return the page."""
    return h.page(
        f"Evidence of case {facts.case_id}",
        FORM,
        (
            _case(facts),
            _checking(),
            _artifacts(facts),
            custody(facts),
            _timeline(facts),
            _head(facts),
            _unproven(facts),
        ),
    )


def _case(facts: Facts) -> str:
    deposits = facts.deposits()
    first, last = facts.entries[0], facts.entries[-1]
    counted = []
    if facts.counted is not None:
        said = f"{facts.counted.entries}, as its entry {facts.counted.entry.index} counts"
        among = f"{said} them among its first {facts.counted.count.entries}"
        counted = [("Ledger entries by the ledger's own count", among)]
    return h.section(
        "Case",
        h.facts(
            [
                ("Case", h.text(facts.case_id)),
                ("Its name in the ledger", h.code(first.leaf.case)),
                ("Ledger entries", str(len(facts.entries))),
                *counted,
                ("Artifacts", str(len(deposits))),
                ("First entry recorded", h.code(first.leaf.record_time)),
                ("Last entry recorded", h.code(last.leaf.record_time)),
            ]
        ),
    )


def _checking() -> str:
    command = "python3 stanch-verify.pyz verify . --trust ../trust.json"
    return h.section(
        "How to check this",
        h.paragraphs(
            "This page is no proof. It retells what the files beside it say, and only the check of "
            "those files tells whether they can be believed. Take the verifier and trust.json from "
            "somebody you trust, by another way than this bundle, and run in this folder:"
        ),
        f"<pre>{h.text(command)}</pre>\n",
        h.paragraphs(
            "It makes this page again and says if this one differs. Its exit code is the verdict; "
            "VERIFY.md does part of the check with stock tools:"
        ),
        h.table(("Exit code", "Verdict"), _VERDICTS),
    )


def _artifacts(facts: Facts) -> str:
    rows = []
    for entry, _, _, manifest in facts.deposits():
        plain = "HMAC-SHA-256 of the content" if manifest.sensitive else "SHA-256 of the content"
        rows.append(
            (
                str(entry.index),
                h.text(manifest.name) + "<br>" + h.code(manifest.media_type),
                f"{manifest.plain_size} bytes of content<br>{manifest.stored_size} bytes stored",
                f"SHA-256 as stored {h.code(manifest.stored_sha256)}<br>"
                f"{plain} {h.code(manifest.plain_digest)}",
                "<br>".join(_remarks(manifest)) or "none",
            )
        )
    heads = ("Entry", "Artifact", "Size", "Hashes", "Remarks")
    return h.section("Artifacts", h.table(heads, rows))


def _remarks(manifest: Manifest) -> Iterator[str]:
    if manifest.encryption is not None:
        yield f"sensitive: stored encrypted under {h.code(manifest.encryption.key)}"
    if not manifest.source_stable:
        yield "the source changed while it was read"
    for gap in manifest.gaps:
        yield f"{gap.size} bytes from {gap.start} could not be read: {h.text(gap.why)}"
    for claim in manifest.claims:
        said = f"{h.text(claim.name)} {h.code(claim.value)}"
        yield f"claimed by {h.text(claim.by)}, not checked here: {said}"
    if manifest.derived is not None:
        made = ", ".join(h.code(origin.artifact_id) for origin in manifest.derived.origins)
        yield f"made by {h.text(manifest.derived.tool)} from {made}"


def _timeline(facts: Facts) -> str:
    rows = []
    for entry in facts.entries:
        actor = body = h.gone(_ERASED)
        if entry.opened is not None:
            actor = h.text(entry.opened[0])
            body = f"<pre>{h.text(canonical_form(dict(entry.opened[1])).decode())}</pre>"
        leaf = entry.leaf
        happened = f"{h.code(leaf.event_time)}<br>recorded {h.code(leaf.record_time)}"
        rows.append((str(entry.index), h.code(leaf.kind), happened, actor, body))
    heads = ("Entry", "Kind", "Happened", "By", "What")
    return h.section("Timeline", h.table(heads, rows))


def _head(facts: Facts) -> str:
    head = facts.head
    return h.section(
        "Checkpoint",
        h.paragraphs(
            "The head of the whole ledger, under which every entry above is proven to be. Whether "
            "the log signed it, which witnesses did, and when it was stamped, the verdict says."
        ),
        h.facts(
            [
                ("Ledger", h.text(head.origin)),
                ("Entries in it, of all cases", str(head.size)),
                ("Root hash", h.code(head.root.hex())),
            ]
        ),
    )


def _unproven(facts: Facts) -> str:
    closed = [entry for entry in facts.entries if entry.opened is None]
    lost = [entry.index for entry in closed if entry.leaf.kind == ARTIFACT_STORED]
    sealed = sum(1 for *_, manifest in facts.deposits() if manifest.sensitive)
    words = [
        "Whether a source told the truth when it was read. The hashes prove that nothing changed "
        "since, not that it was right then.",
        "The times of entries beyond what timestamp tokens bound: they are those of the operator's "
        "own clock.",
        "What happened after the last entry, and what was never entered.",
        "That the operator shows everybody the same ledger, unless witnesses whom you trust signed "
        "the checkpoint. The verdict says whether they did.",
        "Who a name in these entries is. Names are as the operator's systems knew them.",
    ]
    if sealed:
        words.append(f"What {sealed} encrypted artifacts hold, without their key.")
    if closed:
        words.append(
            f"What {len(closed)} erased entries said. That they stood there, when and of which "
            "kind, is still proven."
        )
    if lost:
        words.append(f"Which artifacts the erased entries {', '.join(map(str, lost))} named.")
    items = "".join(f"<li>{h.paragraphs(one)}</li>\n" for one in words)
    return h.section("What is not proven", f"<ul>\n{items}</ul>\n")
