"""The anchor vends no sessions, and does again if it did."""

import pytest

from actions import engine
from actions.aws.disable_trust_anchor import DisableTrustAnchor
from actions.errors import TargetGoneError
from tests.actions.aws.test_deactivate_signing_certificates import certificate


def arrange(world, estate):
    return DisableTrustAnchor(world.account, world.region, make(world, enabled=True))


def make(world, *, enabled) -> str:
    source = {
        "sourceType": "CERTIFICATE_BUNDLE",
        "sourceData": {"x509CertificateData": certificate()},
    }
    made = world.client("rolesanywhere", world.admin).create_trust_anchor(
        name="persist", source=source, enabled=enabled
    )
    return made["trustAnchor"]["trustAnchorId"]


@pytest.mark.parametrize("had", [True, False])
def test_it_is_off_and_then_as_it_was(world, op, had):
    anchor = make(world, enabled=had)
    action = DisableTrustAnchor(world.account, world.region, anchor)
    client = world.client("rolesanywhere", world.admin)
    op.apply(action)
    assert client.get_trust_anchor(trustAnchorId=anchor)["trustAnchor"]["enabled"] is False
    op.undo(action)
    assert client.get_trust_anchor(trustAnchorId=anchor)["trustAnchor"]["enabled"] is had


def test_what_goes_on_is_said(world, op):
    [blast] = engine.plan(arrange(world, None), op.p).blast
    assert "sessions that were vended go on" in blast


def test_an_anchor_that_is_gone_is_named(world, op):
    anchor = "11111111-2222-3333-4444-555555555555"
    with pytest.raises(TargetGoneError, match=f"trust anchor {anchor} does not exist"):
        op.apply(DisableTrustAnchor(world.account, world.region, anchor))
