"""The least-privilege Vault policy for any set of actions, printed from what they declare.

Pure: no client, no clock. Source: Vault documentation, "Policies" (Policy syntax, Capabilities,
Priority matching): `+` stands for one segment of a path, `*` for any end of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from string import Formatter
from typing import Any

from actions.action import Action
from actions.permission import Permission

# How a capability is told from an IAM action among an action's permissions.
PREFIX = "vault:"


def may(path: str, *capabilities: str) -> tuple[Permission, ...]:
    """Return the permissions to do this with a path; {kv}, {approle}... are left open in it.

    A path to be listed that holds a + ends in a slash, as Vault sees it when it is listed.
    """
    return tuple(Permission(PREFIX + capability, path) for capability in capabilities)


def policy(
    actions: Iterable[type[Action[Any]]],
    *,
    mounts: Mapping[str, Iterable[str]] | None = None,
    own_mount: str = "",
    own_policies: Iterable[str] = (),
    reads: Mapping[str, Iterable[str]] | None = None,
) -> str:
    """Return a Vault policy, as HCL, that allows these actions and no more.

    `reads` is what is to be read besides, by evidence: path, as in `may`, -> capabilities.
    `mounts` names where each engine is, as {"kv": ["secret", "team/kv"]}; one that is not named
    is any mount of one segment. What is Stanch's own is denied: its mount (such as `stanch`, of
    auth/stanch) and its policies. The result does not depend on the order of `actions`.
    """
    asked = [
        (p.resource, p.action.removeprefix(PREFIX))
        for kind in actions
        for p in kind.permissions
        if p.action.startswith(PREFIX)
    ]
    asked += [(path, c) for path, names in (reads or {}).items() for c in names]
    granted: dict[str, set[str]] = {}
    for pattern, capability in asked:
        for path in _filled(pattern, mounts or {}):
            granted.setdefault(path, set()).add(capability)
    denied = [f"sys/policies/acl/{name}" for name in own_policies]
    if own_mount:
        denied += [f"auth/{own_mount}/*", f"sys/auth/{own_mount}", f"sys/auth/{own_mount}/*"]
    granted |= {path: {"deny"} for path in denied}
    return "\n".join(_block(path, granted[path]) for path in sorted(granted))


def _filled(path: str, mounts: Mapping[str, Iterable[str]]) -> Iterator[str]:
    names = sorted({name for _, name, _, _ in Formatter().parse(path) if name})
    for choice in product(*(mounts.get(name, ("+",)) for name in names)):
        yield path.format(**dict(zip(names, choice, strict=True)))


def _block(path: str, capabilities: Iterable[str]) -> str:
    listed = ", ".join(json.dumps(c) for c in sorted(capabilities))
    return f"path {json.dumps(path)} {{\n  capabilities = [{listed}]\n}}\n"
