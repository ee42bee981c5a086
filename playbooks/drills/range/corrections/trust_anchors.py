"""Roles Anywhere: who outside may become a role with a certificate.

IAM Roles Anywhere API: trust anchors and profiles, each with Create, Get, List, Enable, Disable and
Delete; a disabled one vends no session. moto has no such service. Only the keeping of them is here;
CreateSession, which is signed with a certificate, is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.drills.range.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playbooks.drills.range.corrections.correction import Correction, Corrections, Onward
    from playbooks.drills.range.ground import Ground
    from playbooks.drills.range.wire import Asked

# kind -> its name in an ARN
KINDS = {"trustAnchor": "trust-anchor", "profile": "profile"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "trustAnchor": {},
    "profile": {"durationSeconds": 3600, "requireInstanceProperties": False},
}


def _create(kind: str) -> Correction:
    def create(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
        made_id = str(ground.uuid())
        where = f"arn:aws:rolesanywhere:{asked.region}:{asked.account}"
        given = {k: v for k, v in asked.params.items() if k != "tags"}
        thing = {
            **DEFAULTS[kind],
            **given,
            f"{kind}Id": made_id,
            f"{kind}Arn": f"{where}:{KINDS[kind]}/{made_id}",
            "enabled": bool(asked.params.get("enabled", False)),
            "createdAt": ground.now(),
            "updatedAt": ground.now(),
        }
        ground.kept.anywhere[asked.account, asked.region, kind, made_id] = thing
        return {kind: thing}

    return create


def _catalogue(kind: str) -> Correction:
    def catalogue(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
        where = (asked.account, asked.region, kind)
        found = [thing for key, thing in ground.kept.anywhere.items() if key[:3] == where]
        start, size = int(asked.params.get("nextToken") or 0), int(asked.params.get("pageSize", 50))
        page: dict[str, Any] = {f"{kind}s": found[start : start + size]}
        return page | ({"nextToken": str(start + size)} if start + size < len(found) else {})

    return catalogue


def _get(kind: str) -> Correction:
    def get(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
        return {kind: _found(ground, asked, kind)}

    return get


def _set(kind: str, *, enabled: bool) -> Correction:
    def switch(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
        thing = _found(ground, asked, kind)
        thing |= {"enabled": enabled, "updatedAt": ground.now()}
        return {kind: thing}

    return switch


def _delete(kind: str) -> Correction:
    def delete(ground: Ground, asked: Asked, _onward: Onward) -> Mapping[str, Any]:
        thing = _found(ground, asked, kind)
        del ground.kept.anywhere[asked.account, asked.region, kind, thing[f"{kind}Id"]]
        return {kind: thing}

    return delete


def _found(ground: Ground, asked: Asked, kind: str) -> dict[str, Any]:
    wanted = asked.params[f"{kind}Id"]
    found = ground.kept.anywhere.get((asked.account, asked.region, kind, wanted))
    if found is None:
        raise AwsError("ResourceNotFoundException", f"There is no {KINDS[kind]} {wanted}.", 404)
    return found


CORRECTIONS: Corrections = {}
for _kind in KINDS:
    _name = _kind[0].upper() + _kind[1:]
    CORRECTIONS |= {
        ("rolesanywhere", f"Create{_name}"): _create(_kind),
        ("rolesanywhere", f"List{_name}s"): _catalogue(_kind),
        ("rolesanywhere", f"Get{_name}"): _get(_kind),
        ("rolesanywhere", f"Enable{_name}"): _set(_kind, enabled=True),
        ("rolesanywhere", f"Disable{_name}"): _set(_kind, enabled=False),
        ("rolesanywhere", f"Delete{_name}"): _delete(_kind),
    }
