"""What the digest covers of the other services that identities act through.

Only backends that exist are read: looking makes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.identitystore.models import identitystore_backends
from moto.organizations.models import organizations_backends
from moto.ssoadmin.models import ssoadmin_backends

if TYPE_CHECKING:
    from collections.abc import Callable


def services() -> dict[str, Any]:
    """JSON values: service -> account and region -> resources; empty ones are left out."""
    readers: dict[str, tuple[Any, Callable[[Any], Any]]] = {
        "lambda": (lambda_backends, _functions),
        "events": (events_backends, _rules),
        "organizations": (organizations_backends, _organization),
        "sso-admin": (ssoadmin_backends, _permission_sets),
        "identitystore": (identitystore_backends, _identities),
    }
    return {
        name: {
            f"{account}/{region}": found
            for account, regions in sorted(backends.items())
            for region, backend in sorted(regions.items())
            if (found := read(backend))
        }
        for name, (backends, read) in readers.items()
    }


def _functions(backend: Any) -> dict[str, Any]:
    return {
        function.function_arn: {
            "role": function.role,
            "code": getattr(function, "code_sha_256", ""),
            "environment": function.environment_vars,
            "reserved": function.reserved_concurrency,
            "policy": function.policy.statements,
            "url": function.url_config is not None,
            "sources": {
                key: bool(mapping.enabled)
                for key, mapping in backend._event_source_mappings.items()
                if mapping.function_arn == function.function_arn
            },
        }
        for function in backend.list_functions()
    }


def _rules(backend: Any) -> dict[str, Any]:
    return {
        f"{bus.name}/{rule.name}": [
            rule.state,
            rule.role_arn,
            rule.scheduled_expression,
            str(rule.event_pattern.get_pattern()),
            rule.targets,
        ]
        for bus in backend.event_buses.values()
        for rule in bus.rules.values()
    }


def _organization(backend: Any) -> dict[str, Any]:
    if backend.org is None:
        return {}
    nodes = [*backend.accounts, *backend.ou]
    return {
        "policies": {p.id: [p.name, p.content, p.tags] for p in backend.policies},
        "attached": {node.id: sorted(p.id for p in node.attached_policies) for node in nodes},
        "parents": {node.id: node.parent_id for node in nodes},
        "types": [
            sorted(t["Type"] for t in r.policy_types) for r in backend.ou if r.type == "ROOT"
        ],
    }


def _permission_sets(backend: Any) -> dict[str, Any]:
    sets = {
        s.permission_set_arn: [
            s.name,
            s.inline_policy,
            sorted(p.arn for p in s.managed_policies),
            sorted(p.path + p.name for p in s.customer_managed_policies),
        ]
        for s in backend.permission_sets
    }
    assigned = sorted(
        [a.target_id, a.permission_set_arn, a.principal_type, a.principal_id]
        for a in backend.account_assignments
    )
    return {"sets": sets, "assigned": assigned} if sets or assigned else {}


def _identities(backend: Any) -> dict[str, Any]:
    return {
        store_id: [
            sorted(u.UserName for u in store.users.values()),
            sorted(g.DisplayName for g in store.groups.values()),
            sorted(store.group_memberships),
        ]
        for store_id, store in backend.identity_stores.items()
        if store.users or store.groups
    }
