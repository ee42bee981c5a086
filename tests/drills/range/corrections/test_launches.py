"""Launches are idempotent and complete (AWS: Ensuring idempotency; Launch templates)."""


def launch(ec2, **how) -> list[str]:
    made = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, **how)
    return [i["InstanceId"] for i in made["Instances"]]


def test_the_same_token_gives_the_same_instance(world, ec2, refused):
    first = launch(ec2, ClientToken="once", InstanceType="t3.small")
    once = world.digest()
    assert launch(ec2, ClientToken="once", InstanceType="t3.small") == first
    assert world.digest() == once
    other = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.large"}
    code = refused(ec2.run_instances, ClientToken="once", **other)
    assert code == "IdempotentParameterMismatch"
    assert launch(ec2, ClientToken="twice", InstanceType="t3.small") != first


def test_protection_asked_for_at_launch_is_there(ec2, refused):
    [instance] = launch(
        ec2, DisableApiTermination=True, InstanceInitiatedShutdownBehavior="terminate"
    )
    assert refused(ec2.terminate_instances, InstanceIds=[instance]) == "OperationNotPermitted"
    told = ec2.describe_instance_attribute(
        InstanceId=instance, Attribute="instanceInitiatedShutdownBehavior"
    )
    assert told["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"


def test_a_templates_profile_is_given(world, ec2, estate):
    template = {"LaunchTemplateId": estate.launch_template}
    made = ec2.run_instances(LaunchTemplate=template, MinCount=1, MaxCount=1)
    [instance] = [i["InstanceId"] for i in made["Instances"]]
    held = world.instance_credentials(instance)
    arn = world.client("sts", held).get_caller_identity()["Arn"]
    assert arn.endswith(f"assumed-role/{estate.role}/{instance}")
