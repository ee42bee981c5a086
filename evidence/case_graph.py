"""`case.jsonld`: one case as a CASE/UCO graph, for the tools of forensic examiners.

An InvestigativeAction for each ledger entry, in order; for each artifact also a ProvenanceRecord
with its exhibit number and an ObservableObject with the SHA-256 of the bytes in the bundle
(caseontology.org, CASE 1.4 on UCO 1.4). Made only from entries and manifests, with ids that follow
from them, so the verifier makes it again and compares. Standard library and cryptography only.
"""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from evidence import bag
from evidence.case_facts import Facts
from evidence.manifest import Manifest
from evidence.strict_json import canonical_form
from evidence.verify_entries import Proven

FORM = "urn:stanch:case-graph:1"

_UCO = "https://ontology.unifiedcyberontology.org/uco"
_CONTEXT = {
    "kb": f"{FORM}:",
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    **{
        f"uco-{name}": f"{_UCO}/{name}/"
        for name in ("action", "core", "identity", "observable", "tool", "types")
    },
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, FORM)

Node = dict[str, Any]


def case_graph(facts: Facts) -> bytes:
    """Return the graph as JSON-LD in canonical JSON."""
    case = facts.entries[0].leaf.case
    exhibits = {
        entry.index: (str(body.get("target")), manifest)
        for entry, _, body, manifest in facts.deposits()
    }
    nodes: list[Node] = []
    previous: Node | None = None
    for entry in facts.entries:
        action = _action(case, entry, previous)
        if entry.index in exhibits:
            target, manifest = exhibits[entry.index]
            made = list(_exhibit(facts.case_id, entry, target, manifest))
            action |= _acquired(case, manifest, made)
            nodes += made
        nodes.append(action)
        previous = action
    whole = {
        **_node("investigation", case, "case-investigation:Investigation"),
        "uco-core:name": facts.case_id,
        "uco-core:object": [_reference(node) for node in nodes],
    }
    nodes += [*_identities(case, facts), *_tools(case, facts), whole]
    return canonical_form({"@context": _CONTEXT, "@graph": nodes})


def _action(case: str, entry: Proven, previous: Node | None) -> Node:
    action = {
        **_node("action", f"{case} {entry.hash.hex()}", "case-investigation:InvestigativeAction"),
        "uco-core:name": entry.leaf.kind,
        "uco-core:description": f"ledger entry {entry.index}",
        "uco-action:startTime": _time(entry.leaf.event_time),
        "uco-action:endTime": _time(entry.leaf.record_time),
    }
    if entry.opened is not None:
        action["uco-action:performer"] = _identity(case, entry.opened[0])
    if previous is not None:
        action["case-investigation:wasInformedBy"] = _reference(previous)
    return action


def _acquired(case: str, manifest: Manifest, made: list[Node]) -> Node:
    return {
        "uco-action:startTime": _time(manifest.acquired_start),
        "uco-action:endTime": _time(manifest.acquired_end),
        "uco-action:instrument": _tool(case, manifest),
        "uco-action:result": [_reference(node) for node in made],
    }


def _exhibit(case_id: str, entry: Proven, target: str, manifest: Manifest) -> Iterator[Node]:
    name = entry.hash.hex()
    content = {
        **_node("content", name, "uco-observable:ContentDataFacet"),
        "uco-observable:sizeInBytes": _typed("integer", str(manifest.stored_size)),
        "uco-observable:isEncrypted": manifest.sensitive,
        "uco-observable:hash": {
            **_node("hash", name, "uco-types:Hash"),
            # The vocabulary's own datatype draws a warning since UCO 1.4.
            "uco-types:hashMethod": "SHA256",
            "uco-types:hashValue": _typed("hexBinary", manifest.stored_sha256),
        },
    }
    if not manifest.sensitive:
        content["uco-observable:mimeType"] = manifest.media_type
    held = {
        **_node("object", name, "uco-observable:ObservableObject"),
        "uco-core:name": manifest.name,
        "uco-core:description": f"{manifest.source}: {manifest.call} of {target}; "
        f"{bag.ARTIFACTS}{manifest.stored_sha256}",
        "uco-core:hasFacet": [content],
    }
    yield held
    yield {
        **_node("provenance", name, "case-investigation:ProvenanceRecord"),
        "case-investigation:exhibitNumber": f"{case_id}/{entry.index}",
        "uco-core:object": [_reference(held)],
    }


def _identities(case: str, facts: Facts) -> Iterator[Node]:
    actors = {entry.opened[0] for entry in facts.entries if entry.opened is not None}
    for actor in sorted(actors):
        yield {
            **_identity(case, actor),
            "@type": "uco-identity:Identity",
            "uco-core:name": actor,
        }


def _tools(case: str, facts: Facts) -> Iterator[Node]:
    tools = {(m.tool, m.tool_version): m for m in facts.manifests.values()}
    for (name, version), manifest in sorted(tools.items(), key=lambda item: item[0]):
        yield {
            **_tool(case, manifest),
            "@type": "uco-tool:Tool",
            "uco-core:name": name,
            "uco-tool:version": version,
        }


def _identity(case: str, actor: str) -> Node:
    return {"@id": _id("identity", f"{case} {actor}")}


def _tool(case: str, manifest: Manifest) -> Node:
    return {"@id": _id("tool", f"{case} {manifest.tool} {manifest.tool_version}")}


def _node(role: str, name: str, kind: str) -> Node:
    return {"@id": _id(role, name), "@type": kind}


def _id(role: str, name: str) -> str:
    # RFC 4122, 4.3, of version 5; the standard library's UUIDs cost more than the hash does.
    named = _SPACE.bytes + f"{role} {name}".encode()
    made = bytearray(hashlib.sha1(named, usedforsecurity=False).digest()[:16])
    made[6], made[8] = made[6] & 0x0F | 0x50, made[8] & 0x3F | 0x80
    text = made.hex()
    return f"kb:{role}-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _reference(node: Mapping[str, Any]) -> Node:
    return {"@id": node["@id"]}


def _typed(kind: str, value: str) -> Node:
    return {"@type": f"xsd:{kind}", "@value": value}


def _time(stamp: str) -> Node:
    return _typed("dateTime", stamp)
