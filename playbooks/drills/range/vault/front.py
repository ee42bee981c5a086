"""The way of one request: who asks, may they, which engine answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playbooks.drills.range.vault import audit, wire
from playbooks.drills.range.vault.calls import Call
from playbooks.drills.range.vault.errors import RefusedError, absent, denied, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from playbooks.drills.range.vault.core import Core
    from playbooks.drills.range.vault.mounts import Mount
    from playbooks.drills.range.vault.routes import Engine, Route
    from playbooks.drills.range.vault.token import Token
    from playbooks.drills.range.vault.wire import Asked, Reply

NEEDS = {
    "GET": "read",
    "HEAD": "read",
    "LIST": "list",
    "POST": "update",
    "DELETE": "delete",
    "PATCH": "patch",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a request goes."""

    mount: Mount
    part: Engine
    route: Route
    asked: Asked


def answer(core: Core, environ: Mapping[str, Any], calls: list[Call]) -> Answer:
    """Answer one request (a WSGI environ) and note it; never raises for what a client sends."""
    asked, token, request_id = None, None, core.uuid()
    try:
        asked = replace(wire.read(environ), request_id=request_id)
        token = _caller(core, asked)
        asked = replace(asked, caller=token)
        reply = _audited(core, asked)
        status, on_top = reply.code(), asked.path.startswith("sys/")
        content = b"" if asked.method == "HEAD" else reply.body(request_id, on_top)
        made = Answer(status, _headers(reply.content_type), content)
    except RefusedError as e:
        body = json.dumps({"errors": e.messages}).encode()
        made = Answer(e.status, _headers("application/json"), body)
    method = asked.method if asked else environ.get("REQUEST_METHOD", "")
    path = asked.path if asked else environ.get("PATH_INFO", "")
    accessor = token.accessor if token else ""
    calls.append(Call(method, path, accessor, made.status, core.now))
    return made


def _audited(core: Core, asked: Asked) -> Reply:
    if asked.namespace:
        raise invalid("namespaces are not simulated here; send no X-Vault-Namespace")
    if asked.wrap_ttl:
        raise invalid("response wrapping is not simulated here; send no X-Vault-Wrap-TTL")
    found = _route(core, asked)
    answers = isinstance(found, _Found) and found.part.while_sealed
    if core.seal.sealed and not answers:
        raise RefusedError(503, "Vault is sealed")
    if isinstance(found, _Found) and not found.part.audited:
        return _serve(core, asked, found)
    mount = found.mount if isinstance(found, _Found) else None
    # The devices that a request finds are told of its end, even when it disables one.
    devices = list(core.audits.values())
    noted = (asked, asked.caller, mount, core.now)
    audit.note_request(devices, *noted)
    try:
        reply = _serve(core, asked, found)
    except RefusedError as e:
        audit.note_response(devices, *noted, "; ".join(e.messages))
        raise
    audit.note_response(devices, *noted, reply)
    return reply


def _headers(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "Cache-Control": "no-store"}


def _caller(core: Core, asked: Asked) -> Token | None:
    token = core.tokens.living(asked.token, core.now) if asked.token else None
    if token is not None and not core.fits(asked.address, token.bound_cidrs):
        return None
    return token


def _serve(core: Core, asked: Asked, found: _Found | RefusedError) -> Reply:
    if not isinstance(found, _Found):
        # What is there is nobody's business who has no right to look.
        _authorize(core, asked, None)
        raise found
    if not found.route.free:
        _authorize(core, asked, found)
    reply = found.part.serve(found.route, found.asked)
    if asked.caller is not None and not found.route.free:
        _used(core, asked.caller)
    return reply


def _route(core: Core, asked: Asked) -> _Found | RefusedError:
    mount = core.mount_of(asked.path)
    if mount is None:
        return absent(f"no handler for route {asked.path!r}. route entry not found.")
    below = asked.path.removeprefix(mount.path.rstrip("/")).lstrip("/")
    other = False
    for part in mount.parts:
        for route, named in part.matching(below):
            if route.method == asked.method:
                return _Found(mount, part, route, replace(asked, named=named))
            other = True
    if other:
        return RefusedError(405, "1 error occurred:\n\t* unsupported operation\n\n")
    return absent("1 error occurred:\n\t* unsupported path\n\n")


def _authorize(core: Core, asked: Asked, found: _Found | None) -> None:
    token = asked.caller
    if token is None:
        raise denied()
    if not core.identity.may_act(token.entity_id):
        raise denied()
    path = asked.path + ("/" if asked.method == "LIST" else "")
    has = core.capabilities(token, path)
    if "root" in has:
        return
    need = NEEDS.get(asked.method, "")
    if found is not None and found.route.exists and asked.method == "POST":
        there = getattr(found.part, found.route.exists)(found.asked)
        need = "update" if there else "create"
    if need not in has or (found is not None and found.route.sudo and "sudo" not in has):
        raise RefusedError(403, "1 error occurred:\n\t* permission denied\n\n")


def _used(core: Core, token: Token) -> None:
    if token.num_uses and token.id in core.tokens.by_id:
        token.uses -= 1
        if token.uses <= 0:
            core.revoke_token(token)
