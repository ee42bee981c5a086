"""All acts in the order of a compromised Vault: the thief ends with nothing, the application works.

Block login, destroy secret ids, revoke tokens, revoke leases, rotate, issue anew, let in again.
"""

import pytest
from hvac import exceptions

from actions.vault.block_login import BlockLogin
from actions.vault.destroy_kv_versions import DestroyKvVersions
from actions.vault.destroy_secret_ids import DestroySecretIds
from actions.vault.issue_secret_id import IssueSecretId
from actions.vault.revoke_leases import RevokeLeases
from actions.vault.revoke_tokens import RevokeTokens
from actions.vault.rotate_role_id import RotateRoleId
from actions.vault.write_kv_version import WriteKvVersion
from tests.actions.vault import engines, site
from tests.actions.vault.operating import Operator

MAKES_TOKENS = (
    'path "auth/token/create" { capabilities = ["update", "sudo"] }\n'
    'path "database/creds/*" { capabilities = ["read"] }'
)


class Thief:
    """Has the application's login, and with it makes all that lasts."""

    def __init__(self, op: Operator) -> None:
        self.op, self.login = op, op.estate.apps["web"]
        token = site.log_in(op.world, self.login)
        client = op.world.client(token)
        self.tokens = [token]
        for more in ({}, {"no_parent": True}):
            self.tokens.append(client.auth.token.create(policies=["web"], **more)["auth"])
        self.tokens[1:] = [made["client_token"] for made in self.tokens[1:]]
        self.database = [client.read("database/creds/web")["data"] for _ in range(3)]
        self.secret = client.read("secret/data/web/db")["data"]["data"]["password"]

    def ways(self) -> list[str]:
        """Return what still works of all that it has."""
        op = self.op
        server = op.world.database(engines.URL)
        found = [
            f"token {n}" for n, t in enumerate(self.tokens) if op.reads(t, "secret/data/web/db")
        ]
        found += ["database" for d in self.database if server.log_in(d["username"], d["password"])]
        try:
            site.log_in(op.world, self.login)
        except exceptions.VaultError:
            return found
        return [*found, "login"]


def test_the_thief_ends_with_nothing_and_the_application_works(op: Operator) -> None:
    engines.database(op.estate)
    root = op.estate.root
    root.sys.create_or_update_acl_policy("makes", MAKES_TOKENS)
    root.write("auth/approle/role/web", token_policies=["web", "makes"])
    op.world.delay_revocations(600)
    thief = Thief(op)
    assert thief.ways() == ["token 0", "token 1", "token 2", *["database"] * 3, "login"]

    block = BlockLogin(site.NAME, "approle", "web")
    op.apply(block)
    assert "login" not in thief.ways()
    op.apply(DestroySecretIds(site.NAME, "approle", "web"))
    tokens = RevokeTokens(site.NAME, mount="approle", role="web")
    orphans = op.apply(tokens).after["orphans"]
    assert [way for way in thief.ways() if way.startswith("token")] == ["token 2"]
    op.apply(RevokeTokens(site.NAME, tuple(orphans)))
    assert thief.ways() == ["database"] * 3, "the leases of its tokens are queued, and not revoked"
    op.apply(RevokeLeases(site.NAME, "database/creds/web"))
    assert thief.ways() == []

    op.apply(RotateRoleId(site.NAME, "approle", "web"))
    op.apply(WriteKvVersion(site.NAME, "secret", "web/db", 1, ("password",), "INC-0007"))
    op.apply(IssueSecretId(site.NAME, "approle", "web", "secret", "web/login"))
    op.back(block)
    new = site.Login(
        "web",
        root.auth.approle.read_role_id("web")["data"]["role_id"],
        root.read("secret/data/web/login")["data"]["data"]["secret_id"],
        "not asked for",
    )
    assert site.works(op.world, new)
    assert thief.ways() == []
    op.apply(DestroyKvVersions(site.NAME, "secret", "web/db", (1,)))
    with pytest.raises(exceptions.InvalidPath):
        root.secrets.kv.v2.read_secret_version("web/db", version=1, raise_on_deleted_version=True)
    assert root.read("secret/data/web/db")["data"]["data"]["password"] != thief.secret
    assert site.works(op.world, op.estate.apps["batch"]), "the neighbour never felt it"
