"""Sets a drill up: a deployment of its own, the people in it, and the finding that starts it."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks.desk.cli.init import make
from playbooks.desk.cli.permissions import beyond_plays, needed
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.world import World
from playbooks.drills.stage import Stage
from playbooks.wiring import people
from playbooks.wiring.settings import Settings, load
from playbooks.wiring.store_terms import FOLDER

# The least severity that is answered by itself; the finding has 8.
FLOOR = 7.0
TYPE = "Backdoor:EC2/C&CActivity.B"
# The name under which the SIEM signs.
SENDER = "siem"
# The stage of a compromised host.
HOST = Stage(("compromised-instance",), (TYPE,))


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the drill's Stanch lives, and what its commands find in the environment."""

    folder: Path
    settings: Settings
    environment: dict[str, str]
    alice: Path
    bob: Path

    @property
    def finding(self) -> Path:
        """Return the finding's file."""
        return self.folder / "finding.json"


def deploy(
    folder: Path, world: World, estate: Estate, endpoint: str, stage: Stage = HOST
) -> Deployment:
    """Write the settings, make keys and database, give the responder least privilege."""
    config = folder / "stanch.toml"
    lines = [
        'home = "home"',
        'origin = "drill.stanch.local/ledger"',
        f'aws_endpoint = "{endpoint}"',
        f'[accounts."{estate.account}"]',
        f'role = "{estate.responder_role}"',
        'external_id = "env:STANCH_DRILL_EXTERNAL_ID"',
        f'regions = ["{estate.region}"]',
        "[automatic]",
        f"types = {json.dumps(list(stage.types))}",
        f"severity_floor = {FLOOR}",
        "[guard]",
        f'own = ["{estate.responder_role}"]',
        "[queues.guardduty]",
        f'url = "{estate.queue.url}"',
        f'account = "{estate.account}"',
        f'region = "{estate.region}"',
        f"[sources.{SENDER}]",
        'keys = ["env:STANCH_DRILL_SIEM_KEY"]',
    ]
    for name in ("alice", "bob"):
        lines += [f"[people.{name}]"]
        lines += [f'{k} = "{v}"' for k, v in people.make(folder / f"{name}.key").items()]
    config.write_text("\n".join([*lines, *stage.lines]) + "\n")
    environment = {
        "STANCH_CONFIG": str(config),
        "STANCH_DRILL_EXTERNAL_ID": estate.external_id,
        "STANCH_DRILL_SIEM_KEY": secrets.token_hex(32),
        "AWS_ACCESS_KEY_ID": estate.responder.access_key,
        "AWS_SECRET_ACCESS_KEY": estate.responder.secret_key,
        "AWS_DEFAULT_REGION": estate.region,
        # Nothing of this machine's own AWS set-up may leak into a drill.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **stage.environment,
    }
    os.environ.update(stage.environment)
    os.environ["STANCH_CONFIG"] = str(config)
    # What a drill stored in COMPLIANCE mode would stay for good.
    os.environ["STANCH_STORE"] = environment["STANCH_STORE"] = FOLDER
    settings = load()
    make(settings)
    _least_privilege(world, settings, stage.plays)
    made = Deployment(folder, settings, environment, folder / "alice.key", folder / "bob.key")
    made.finding.write_text(json.dumps(finding(world, estate)))
    return made


def serve_by_hand(world: World, estate: Estate) -> None:
    """Put both hosts behind a second port, registered by hand: no scaling group takes them off."""
    elb: Any = world.client("elbv2", world.admin)
    group = elb.create_target_group(Name="partners", Protocol="HTTPS", Port=443, VpcId=estate.vpc)
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.create_listener(
        LoadBalancerArn=estate.load_balancer,
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    targets = [{"Id": estate.target, "Port": 443}, {"Id": estate.sibling, "Port": 443}]
    elb.register_targets(TargetGroupArn=arn, Targets=targets)


def _least_privilege(world: World, settings: Settings, plays: tuple[str, ...]) -> None:
    """Give Stanch's role in each account what `stanch permissions` prints, and nothing else."""
    for account, known in settings.accounts.items():
        keys = world.admin if account == world.account else world.root_of(account)
        iam: Any = world.client("iam", keys)
        role, region = str(known.role).rpartition("/")[2], known.regions[0]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        printed = needed(list(plays), account, region, "aws")
        more = {"Version": "2012-10-17", "Statement": beyond_plays(settings, account, "aws")}
        for name, document in (("stanch-permissions", printed), ("stanch-settings", more)):
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def finding(world: World, estate: Estate, number: int = 1) -> dict[str, Any]:
    """Return the nth GuardDuty finding about the target, as EventBridge delivers it."""
    at = world.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    detector = f"arn:aws:guardduty:{estate.region}:{estate.account}:detector/d0123456789abcdef"
    uid = f"4ec1b0a5c9f84d3c8a7f6e5d4c3b2a{number:02}"
    return {
        "version": "0",
        "id": f"6f1b7c1e-0f53-4a6c-9a49-2f4a4f6b7c{number:02}",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": estate.account,
        "time": at,
        "region": estate.region,
        "resources": [],
        "detail": {
            "schemaVersion": "2.0",
            "accountId": estate.account,
            "region": estate.region,
            "partition": "aws",
            "id": uid,
            "arn": f"{detector}/finding/{uid}",
            "type": TYPE,
            "severity": 8,
            "title": "A host talks to a command and control server.",
            # A secret that somebody put where a finding has room for text; a test looks for it.
            "description": "The instance queries an address; canary-in-finding",
            "createdAt": at,
            "updatedAt": at,
            "resource": {
                "resourceType": "Instance",
                "instanceDetails": {
                    "instanceId": estate.target,
                    "imageId": estate.image,
                    "iamInstanceProfile": {"arn": estate.profile_arn, "id": "AIPADRILL"},
                },
            },
            "service": {
                "serviceName": "guardduty",
                "detectorId": "d0123456789abcdef",
                "eventFirstSeen": at,
                "eventLastSeen": at,
                "count": 1,
                "archived": False,
                "resourceRole": "TARGET",
                "action": {
                    "actionType": "NETWORK_CONNECTION",
                    "networkConnectionAction": {
                        "connectionDirection": "OUTBOUND",
                        "protocol": "TCP",
                        "remoteIpDetails": {"ipAddressV4": "203.0.113.77"},
                    },
                },
            },
        },
    }
