"""What AWS stamps bears the world's time, also when that was moved on or stands still."""

from datetime import UTC, datetime

from playbooks.drills.range.world import World


def test_what_comes_into_being_bears_the_worlds_time():
    world = World(seed=3, clock=lambda: 0.0)
    world.tick(400 * 86400)
    ec2 = world.client("ec2", world.admin)
    zone = f"{world.region}a"
    host = ec2.run_instances(ImageId="ami-0a1b2c3d4e5f60718", MinCount=1, MaxCount=1)["Instances"][
        0
    ]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)
    data = {"ImageId": "ami-0a1b2c3d4e5f60718"}
    template = ec2.create_launch_template(LaunchTemplateName="t", LaunchTemplateData=data)
    user = world.client("iam", world.admin).create_user(UserName="a")["User"]
    nic = host["NetworkInterfaces"][0]["Attachment"]
    stamped = {
        "instance": host["LaunchTime"],
        "interface": nic["AttachTime"],
        "volume": volume["CreateTime"],
        "snapshot": ec2.create_snapshot(VolumeId=volume["VolumeId"])["StartTime"],
        "template": template["LaunchTemplate"]["CreateTime"],
        "user": user["CreateDate"],
    }
    assert stamped == dict.fromkeys(stamped, datetime(1971, 2, 5, tzinfo=UTC))
