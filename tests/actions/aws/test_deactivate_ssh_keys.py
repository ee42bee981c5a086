"""Every SSH key of the user is off, and those that were on come back."""

import pytest

from actions.aws.deactivate_ssh_keys import DeactivateSshKeys
from actions.errors import NothingToDoError
from tests.actions.aws.people import user

BODY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{} x"


def arrange(world, estate):
    who = user(world)
    for i in range(2):
        upload(world, who, i)
    return DeactivateSshKeys(who)


def upload(world, who, i) -> str:
    made = world.client("iam", world.admin).upload_ssh_public_key(
        UserName=who.name, SSHPublicKeyBody=BODY.format(str(i) * 43)
    )
    return made["SSHPublicKey"]["SSHPublicKeyId"]


def status(iam, who) -> dict[str, str]:
    found = iam.list_ssh_public_keys(UserName=who.name)["SSHPublicKeys"]
    return {key["SSHPublicKeyId"]: key["Status"] for key in found}


def test_all_stop_and_only_what_was_on_comes_back(world, op, iam):
    who = user(world)
    on, off = upload(world, who, 1), upload(world, who, 2)
    iam.update_ssh_public_key(UserName=who.name, SSHPublicKeyId=off, Status="Inactive")
    action = DeactivateSshKeys(who)
    op.apply(action)
    assert status(iam, who) == {on: "Inactive", off: "Inactive"}
    op.undo(action)
    assert status(iam, who) == {on: "Active", off: "Inactive"}


def test_without_one_there_is_nothing_to_do(world, op):
    with pytest.raises(NothingToDoError, match="no active SSH key"):
        op.apply(DeactivateSshKeys(user(world)))
