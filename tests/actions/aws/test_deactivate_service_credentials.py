"""Every credential for one service is off; what had expired is left, what was on comes back."""

import pytest

from actions import engine
from actions.aws.deactivate_service_credentials import DeactivateServiceCredentials
from actions.aws.principal import Principal
from actions.errors import NothingToDoError, TargetGoneError
from tests.actions.aws.people import user

GIT, CASSANDRA, BEDROCK = (f"{n}.amazonaws.com" for n in ("codecommit", "cassandra", "bedrock"))


def arrange(world, estate):
    who = user(world)
    make(world, who, GIT)
    make(world, who, CASSANDRA)
    return DeactivateServiceCredentials(who)


def make(world, who, service, **more) -> str:
    made = world.client("iam", world.admin).create_service_specific_credential(
        UserName=who.name, ServiceName=service, **more
    )
    return made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]


def status(iam, who) -> dict[str, str]:
    found = iam.list_service_specific_credentials(UserName=who.name)["ServiceSpecificCredentials"]
    return {each["ServiceSpecificCredentialId"]: each["Status"] for each in found}


def test_all_stop_and_only_what_was_on_comes_back(world, op, iam):
    who = user(world)
    on, off = make(world, who, GIT), make(world, who, GIT)
    iam.update_service_specific_credential(
        UserName=who.name, ServiceSpecificCredentialId=off, Status="Inactive"
    )
    action = DeactivateServiceCredentials(who)
    assert engine.plan(action, op.p).blast == (f"{GIT} refuses {on}",)
    op.apply(action)
    assert status(iam, who) == {on: "Inactive", off: "Inactive"}
    op.undo(action)
    assert status(iam, who) == {on: "Active", off: "Inactive"}


def test_every_page_is_read(world, op):
    who = user(world)
    made = {make(world, who, service) for service in (GIT, GIT, CASSANDRA, CASSANDRA, BEDROCK)}

    def one_a_page(params, **_):
        params["MaxItems"] = 1

    events = op.p.iam.meta.events
    events.register("before-parameter-build.iam.ListServiceSpecificCredentials", one_a_page)
    assert set(DeactivateServiceCredentials(who).read(op.p)) == {f"credential/{i}" for i in made}


def test_one_that_expired_is_left_as_it_is():
    action = DeactivateServiceCredentials(Principal("111122223333", "user", "alice"))
    before = {"credential/ACCA1": "Expired", "credential/ACCA2": "Active"}
    assert action.wanted(before) == {"credential/ACCA2": "Inactive"}


def test_without_one_there_is_nothing_to_do(world, op):
    with pytest.raises(NothingToDoError, match="no active service-specific credential"):
        op.apply(DeactivateServiceCredentials(user(world)))
    with pytest.raises(TargetGoneError):
        op.apply(DeactivateServiceCredentials(Principal(world.account, "user", "gone")))
