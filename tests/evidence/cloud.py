"""A cloud to read from, over real HTTP: moto's server with one instance and all it hangs on."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.evidence.serving import served

REGION = "eu-west-1"
ACCOUNT = "123456789012"
CANARY = "canary-7f3a"
USER_DATA = f"#!/bin/sh\nexport TOKEN={CANARY}\n"
SERVICES = ("ec2", "iam", "kms", "autoscaling", "elbv2")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ALLOW = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@contextmanager
def moto_server() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def client(service: str, endpoint: str, region: str = REGION) -> Any:
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="not-a-secret",
        config=Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=5),
    )


def clients_for(endpoint: str, calls: list[tuple[str, str]] | None = None) -> Any:
    """Return clients by service; each call made is noted in `calls` as (service, operation)."""
    made = {service: client(service, endpoint) for service in SERVICES}
    for service, each in made.items():
        if calls is not None:

            def note(model: Any, service: str = service, **_: Any) -> None:
                calls.append((service, model.name))

            each.meta.events.register("before-call", note)
    return SimpleNamespace(**made)


def launch(endpoint: str) -> dict[str, Any]:
    """Start an instance with two interfaces' worth of network, a role, user data and snapshots."""
    c = clients_for(endpoint)
    image = c.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    subnet = c.ec2.describe_subnets()["Subnets"][0]
    group = c.ec2.create_security_group(GroupName="web", Description="web", VpcId=subnet["VpcId"])[
        "GroupId"
    ]
    c.iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(TRUST))
    c.iam.put_role_policy(RoleName="web", PolicyName="inline", PolicyDocument=json.dumps(ALLOW))
    policy = c.iam.create_policy(PolicyName="managed", PolicyDocument=json.dumps(ALLOW))["Policy"]
    c.iam.attach_role_policy(RoleName="web", PolicyArn=policy["Arn"])
    profile = c.iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    c.iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")
    target = c.elbv2.create_target_group(
        Name="web", Protocol="HTTP", Port=80, VpcId=subnet["VpcId"], TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    c.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": image,
            "InstanceType": "t3.micro",
            "SecurityGroupIds": [group],
            "IamInstanceProfile": {"Arn": profile["Arn"]},
            "UserData": base64.b64encode(USER_DATA.encode()).decode(),
        },
    )
    c.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        LaunchTemplate={"LaunchTemplateName": "web"},
        MinSize=1,
        MaxSize=1,
        DesiredCapacity=1,
        VPCZoneIdentifier=subnet["SubnetId"],
        TargetGroupARNs=[target],
    )
    groups = c.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    instance = groups[0]["Instances"][0]["InstanceId"]
    encoded = base64.b64encode(USER_DATA.encode())
    c.ec2.modify_instance_attribute(InstanceId=instance, UserData={"Value": encoded})
    # moto alone forgets the template's profile; with the range's corrections loaded it does not.
    mine = [{"Name": "instance-id", "Values": [instance]}]
    if not c.ec2.describe_iam_instance_profile_associations(Filters=mine)[
        "IamInstanceProfileAssociations"
    ]:
        c.ec2.associate_iam_instance_profile(
            InstanceId=instance, IamInstanceProfile={"Arn": profile["Arn"], "Name": "web"}
        )
    key = c.kms.create_key()["KeyMetadata"]["Arn"]
    volume = c.ec2.create_volume(
        Size=1, AvailabilityZone=f"{REGION}a", Encrypted=True, KmsKeyId=key
    )["VolumeId"]
    snapshot = c.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    return {"instance": instance, "snapshot": snapshot, "key": key, "group": group}


PAGE = 50


class Trail(BaseHTTPRequestHandler):
    """CloudTrail's LookupEvents over HTTP, a page at a time; throttles from `fail_from` on."""

    events: list[dict[str, Any]]
    fail_from: int | None
    asked: list[dict[str, Any]]

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"].endswith(".LookupEvents")
        self.asked.append(wanted)
        start = int(wanted.get("NextToken", "0"))
        if self.fail_from is not None and start >= self.fail_from:
            self.answer(400, {"__type": "ThrottlingException", "message": "Rate exceeded"})
            return
        (attribute,) = wanted["LookupAttributes"]
        names = {"AccessKeyId": "AccessKeyId", "Username": "Username"}
        member = names[attribute["AttributeKey"]]
        found = [
            e
            for e in self.events
            if e[member] == attribute["AttributeValue"]
            and wanted["StartTime"] <= e["EventTime"] <= wanted["EndTime"]
        ]
        page = {"Events": found[start : start + PAGE]}
        if start + PAGE < len(found):
            page["NextToken"] = str(start + PAGE)
        self.answer(200, page)

    def answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def trail(
    events: list[dict[str, Any]], fail_from: int | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Serve these events; yield the endpoint and the list of what was asked."""
    members = {"events": events, "fail_from": fail_from, "asked": []}
    with served(Trail, members) as found:
        yield found
