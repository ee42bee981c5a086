"""One hash of everything in the world that containment can change or see.

Equal digests mean equal worlds for a crash sweep. Time alone never changes it (a snapshot that
completes, a target that has drained), and neither does a read. Issued session keys and the log
of calls are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from playbooks.drills.range.corrections.reserved_roles import PREFIX
from playbooks.drills.range.corrections.snapshot_locks import LOCK
from playbooks.drills.range.digest_secrets import secrets_of
from playbooks.drills.range.digest_services import services
from playbooks.drills.range.ground import REGIONAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playbooks.drills.range.ground import Ground


def digest(ground: Ground) -> str:
    """SHA-256 (hex) of `state`."""
    text = json.dumps(state(ground), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def state(ground: Ground) -> dict[str, Any]:
    """What the digest covers, as JSON values: service -> account and region -> resources."""
    kept = ground.kept
    return {
        "ec2": _regional(ground, "ec2", _ec2),
        "iam": {
            account: _iam(ground.iam(account))
            for service, account, _ in sorted(ground.written)
            if service == "iam"
        },
        "autoscaling": _regional(ground, "autoscaling", _autoscaling),
        "elbv2": _regional(ground, "elasticloadbalancing", _elbv2),
        **secrets_of(ground),
        **services(),
        "kept": {
            "conntrack": kept.conntrack,
            "run_tokens": {"/".join(k): v for k, v in kept.run_tokens.items()},
            "snapshots": sorted(kept.snapshots),
            "draining": sorted(map(str, kept.draining)),
            "boundaries": {"/".join(k): v for k, v in kept.boundaries.items()},
            "scps": kept.scps,
            "delegation": kept.delegation,
            "anywhere": {
                "/".join(key): {k: str(v) for k, v in thing.items() if not k.endswith("At")}
                for key, thing in kept.anywhere.items()
            },
            "commands": {c.id: [c.instance, c.document, c.comment] for c in kept.commands.values()},
            "service_credentials": {
                c.id: [c.user, c.service, c.status, c.secret]
                for c in kept.service_credentials.values()
            },
        },
    }


def _regional(ground: Ground, service: str, read: Callable[[Any], Any]) -> dict[str, Any]:
    return {
        f"{account}/{region}": read(REGIONAL[service][account][region])
        for written, account, region in sorted(ground.written)
        if written == service
    }


def _picked(thing: Any, names: str) -> dict[str, Any]:
    return {name: getattr(thing, name, None) for name in names.split()}


def _ec2(ec2: Any) -> dict[str, Any]:
    return {
        "instances": {i.id: _instance(i) for i in ec2.all_instances()},
        "interfaces": {e.id: _interface(e) for e in ec2.enis.values()},
        "groups": {
            group.id: _group(group) for groups in ec2.groups.values() for group in groups.values()
        },
        "volumes": {
            v.id: [_picked(v, "size volume_type encrypted kms_key_id snapshot_id"), _where(v)]
            for v in ec2.volumes.values()
        },
        "snapshots": {s.id: _snapshot(s) for s in ec2.snapshots.values() if not s.from_ami},
        "profiles": {
            i: [a.association_id, a.iam_instance_profile.arn]
            for i, a in ec2.iam_instance_profile_associations.items()
        },
        "images": sorted(ec2.amis),
        "addresses": [_picked(a, "allocation_id association_id public_ip") for a in ec2.addresses],
        "acls": {a.id: _acl(a) for a in ec2.network_acls.values()},
        "routes": {t.id: _route_table(t) for t in ec2.route_tables.values()},
        "tags": {resource: tags for resource, tags in ec2.tags.items() if tags},
    }


def _instance(instance: Any) -> dict[str, Any]:
    metadata = instance.metadata_options
    return {
        **_picked(
            instance,
            "image_id instance_type state disable_api_termination disable_api_stop"
            " instance_initiated_shutdown_behavior source_dest_check monitoring_state",
        ),
        "user_data": str(instance.user_data or ""),
        "metadata": _picked(metadata, " ".join(vars(metadata))),
        "nics": {index: nic.id for index, nic in instance.nics.items()},
        "disks": {
            device: [disk.volume_id, bool(disk.delete_on_termination)]
            for device, disk in instance.get_block_device_mapping
        },
    }


def _interface(eni: Any) -> dict[str, Any]:
    return {
        **_picked(
            eni,
            "status description source_dest_check private_ip_addresses ipv6_addresses public_ip"
            " attachment_id device_index delete_on_termination",
        ),
        "groups": [group.id for group in eni.group_set],
    }


def _group(group: Any) -> dict[str, Any]:
    names = "id ip_protocol from_port to_port ip_range source_group prefix_list_id"
    return {
        **_picked(group, "name description vpc_id"),
        "ingress": [_picked(rule, names) for rule in group.ingress_rules],
        "egress": [_picked(rule, names) for rule in group.egress_rules],
    }


def _where(volume: Any) -> list[str]:
    attached = volume.attachment
    return [attached.instance.id, attached.device] if attached else []


def _snapshot(snapshot: Any) -> dict[str, Any]:
    return {
        **_picked(snapshot, "description encrypted kms_key_id owner_id storage_tier"),
        "volume": snapshot.volume.id,
        "lock": _locked(snapshot),
        "shared": sorted(
            snapshot.create_volume_permission_userids | snapshot.create_volume_permission_groups
        ),
    }


def _locked(snapshot: Any) -> list[Any]:
    made = getattr(snapshot, LOCK, None) or {}
    return [made.get(name) for name in ("mode", "days", "cool_off")]


def _acl(acl: Any) -> dict[str, Any]:
    names = "rule_number protocol rule_action egress cidr_block ipv6_cidr_block"
    names += " port_range_from port_range_to"
    return {
        "entries": [_picked(entry, names) for entry in acl.network_acl_entries],
        "associations": {a.id: a.subnet_id for a in acl.associations},
    }


def _route_table(table: Any) -> dict[str, Any]:
    return {
        "routes": {
            route_id: [
                getattr(target, "id", target)
                for target in (route.gateway, route.interface, route.nat_gateway, route.local)
            ]
            for route_id, route in table._routes.items()
        },
        "associations": dict(table._associations),
    }


def _iam(iam: Any) -> dict[str, Any]:
    return {
        "users": {
            user.name: {
                **_holder(user),
                "keys": [_picked(key, "access_key_id status") for key in user.access_keys],
                "login": [user.password, user.password_reset_required],
                "groups": sorted(g.name for g in iam.get_groups_for_user(user.name)),
                "devices": sorted(user.mfa_devices),
                "ssh": [_picked(k, "ssh_public_key_id status") for k in user.ssh_public_keys],
                "certificates": [
                    _picked(c, "id status") for c in user.signing_certificates.values()
                ],
            }
            for user in iam.users.values()
        },
        "roles": {
            role.name: {
                **_holder(role),
                **_picked(role, "assume_role_policy_document permissions_boundary_arn"),
            }
            for role in iam.roles.values()
            # These follow from permission sets, a while later.
            if not role.name.startswith(PREFIX)
        },
        "groups": {group.name: _holder(group) for group in iam.groups.values()},
        "profiles": {
            p.name: [p.id, [r.name for r in p.roles]] for p in iam.instance_profiles.values()
        },
        "devices": sorted(iam.virtual_mfa_devices),
        "saml": {p.name: p.saml_metadata_document for p in iam.saml_providers.values()},
        "oidc": {
            arn: _picked(p, "client_id_list thumbprint_list tags")
            for arn, p in iam.open_id_providers.items()
        },
        "policies": {
            arn: [p.default_version_id, {v.version_id: v.document for v in p.versions}]
            for arn, p in iam.managed_policies.items()
            if not arn.startswith("arn:aws:iam::aws:")
        },
    }


def _holder(holder: Any) -> dict[str, Any]:
    tags = getattr(holder, "tags", None) or []
    return {
        "id": holder.id,
        "inline": dict(holder.policies),
        "attached": list(holder.managed_policies),
        "tags": tags,
    }


def _autoscaling(backend: Any) -> dict[str, Any]:
    return {group.name: _scaling_group(group) for group in backend.autoscaling_groups.values()}


def _scaling_group(group: Any) -> Mapping[str, Any]:
    return {
        **_picked(group, "min_size max_size desired_capacity target_group_arns tags"),
        "suspended": sorted(p["ProcessName"] for p in group.suspended_processes),
        "instances": [
            [s.instance.id, s.lifecycle_state, s.health_status, bool(s.protected_from_scale_in)]
            for s in group.instance_states
        ],
    }


def _elbv2(backend: Any) -> dict[str, Any]:
    return {
        group.arn: sorted([t["Id"], str(t["Port"])] for t in group.targets.values())
        for group in backend.target_groups.values()
    }
