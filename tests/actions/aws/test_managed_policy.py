"""Stanch's own managed policy: one document, whatever IAM has behind it, and nothing of others'."""

import pytest
from botocore.exceptions import ClientError

from actions.aws.attached_policies import attach, attached, detach
from actions.aws.iam_target import find
from actions.aws.managed_policy import arn_of, document_of, write_document
from actions.errors import ProviderError, TargetGoneError
from playbooks.drills.range.injectors import StaleRead
from tests.actions.aws.people import role, user

NAME = "stanch-deny-x"


def text(what="*") -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": what, "Resource": "*"}],
    }


def test_each_write_twice_is_once(world, op):
    for document in (text(), text(), text("s3:*"), text("s3:*"), None, None):
        write_document(op.p, NAME, document)
        assert document_of(op.p, NAME) == document


def test_a_policy_goes_with_all_its_versions(world, op, iam):
    for what in ("s3:*", "ec2:*", "iam:*"):
        write_document(op.p, NAME, text(what))
    assert len(iam.list_policy_versions(PolicyArn=arn_of(op.p, NAME))["Versions"]) == 3
    write_document(op.p, NAME, None)
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_what_iam_has_and_does_not_show_yet_is_tried_again(world, op):
    world.inject(StaleRead(reads=2), "CreatePolicy")
    write_document(op.p, NAME, text())
    with pytest.raises(ProviderError, match="EntityAlreadyExists") as caught:
        write_document(op.p, NAME, text())
    assert caught.value.passing


def test_what_is_gone_and_shows_still_is_tried_again(world, op):
    write_document(op.p, NAME, text())
    world.inject(StaleRead(reads=9), "DeletePolicy")
    write_document(op.p, NAME, None)
    with pytest.raises(ProviderError, match="NoSuchEntity") as caught:
        write_document(op.p, NAME, text("s3:*"))
    assert caught.value.passing


def test_another_refusal_stays_what_it_is(world, op):
    write_document(op.p, NAME, text())
    who = user(world)
    attach(op.p, who, find(op.p, who).unique_id, arn_of(op.p, NAME))
    with pytest.raises(ClientError, match="DeleteConflict"):
        write_document(op.p, NAME, None)
    assert document_of(op.p, NAME) == text()


@pytest.mark.parametrize("make", [user, role])
def test_a_policy_that_does_not_show_yet_is_attached_later(world, op, make):
    who = make(world)
    unique_id = find(op.p, who).unique_id
    with pytest.raises(ProviderError, match="NoSuchEntity") as caught:
        attach(op.p, who, unique_id, arn_of(op.p, NAME))
    assert caught.value.passing
    detach(op.p, who, unique_id, arn_of(op.p, NAME))
    assert attached(op.p, who) == []
    with pytest.raises(TargetGoneError):
        attach(op.p, who, "AIDAOTHER", arn_of(op.p, NAME))
