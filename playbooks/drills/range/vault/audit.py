"""Audit devices, and the lines that they keep (docs/audit; API: /sys/audit, /sys/audit-hash).

Strings in a line are HMACed with the device's own salt; keys, numbers, paths and lease ids are
not. So whoever knows a value can find its lines, and nobody can read it from them.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.vault.durations import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playbooks.drills.range.vault.mounts import Mount
    from playbooks.drills.range.vault.token import Token
    from playbooks.drills.range.vault.wire import Asked, Reply


@dataclass(slots=True)
class Device:
    """One audit device. `log` holds its lines, each one JSON object; the range keeps them itself
    whatever the device's kind."""

    kind: str
    salt: bytes = field(repr=False)
    description: str = ""
    options: dict[str, str] = field(default_factory=dict)
    local: bool = False
    log: list[str] = field(default_factory=list, repr=False)

    def hash(self, text: str) -> str:
        """What stands for this value in the device's lines."""
        return "hmac-sha256:" + hmac.new(self.salt, text.encode(), sha256).hexdigest()

    def hidden(self, value: Any, plain: Iterable[str] = ()) -> Any:
        """A value with all its strings HMACed, but those under the keys in `plain`."""
        if isinstance(value, str):
            return self.hash(value)
        if isinstance(value, dict):
            return {k: v if k in plain else self.hidden(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.hidden(v) for v in value]
        return value


def note_request(
    devices: Iterable[Device], asked: Asked, token: Token | None, mount: Mount | None, now: float
) -> None:
    """Write a request's line to every device."""
    for device in devices:
        device.log.append(json.dumps(_request(device, asked, token, mount, now)))


def note_response(
    devices: Iterable[Device],
    asked: Asked,
    token: Token | None,
    mount: Mount | None,
    now: float,
    said: Reply | str,
) -> None:
    """Write an answer's line (or, for a refusal, its error) to every device."""
    for device in devices:
        line = _request(device, asked, token, mount, now) | {"type": "response"}
        if isinstance(said, str):
            line["error"] = said
        else:
            line["response"] = _response(device, said, mount)
        device.log.append(json.dumps(line))


def _request(
    device: Device, asked: Asked, token: Token | None, mount: Mount | None, now: float
) -> dict[str, Any]:
    auth: dict[str, Any] = {}
    if token is not None:
        auth = {
            "client_token": device.hash(token.id),
            "accessor": device.hash(token.accessor) if token.accessor else "",
            "display_name": token.display_name,
            "entity_id": token.entity_id,
            "policies": list(token.policies),
            "token_type": "batch" if token.batch else "service",
        }
    return {
        "time": stamp(now),
        "type": "request",
        "auth": auth,
        "request": {
            "id": asked.request_id,
            "operation": _OPERATIONS.get(asked.method, asked.method.lower()),
            "path": asked.path,
            "mount_type": mount.kind if mount else "",
            "client_token": device.hash(asked.token) if asked.token else "",
            "client_token_accessor": auth.get("accessor", ""),
            "data": device.hidden(dict(asked.body), _plain(mount, "request")),
            "remote_address": asked.address,
        },
    }


_OPERATIONS = {"GET": "read", "POST": "update"}


def _response(device: Device, reply: Reply, mount: Mount | None) -> dict[str, Any]:
    line: dict[str, Any] = {"mount_type": mount.kind if mount else ""}
    if reply.data is not None:
        line["data"] = device.hidden(reply.data, _plain(mount, "response"))
    if reply.auth is not None:
        shown = ("client_token", "accessor")
        line["auth"] = {k: device.hash(v) if k in shown and v else v for k, v in reply.auth.items()}
    if reply.lease_id:
        line["secret"] = {"lease_id": reply.lease_id}
    return line


def _plain(mount: Mount | None, side: str) -> list[str]:
    return mount.extra.get(f"audit_non_hmac_{side}_keys", []) if mount else []
