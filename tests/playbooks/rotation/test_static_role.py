"""A Vault's database user gets a new password, with a yes, and the old one fits nothing."""

from types import SimpleNamespace

from playbooks.wiring.rotation_terms import Credential
from tests.actions.vault import engines
from tests.playbooks.rotation.leaking import declare, enter, in_vault, opened
from tests.playbooks.scene import apart


@apart
def test_the_old_password_fits_nothing_once_a_person_said_yes(s):
    vault = in_vault(s)
    root = vault.client(vault.root_token)
    engines.database(SimpleNamespace(root=root, world=vault))
    server = vault.database(engines.URL)
    old = server.accounts["reporting"]
    vault.tick(60)
    target = "prod/vault/database/static-roles/reporting"
    declare(s, reporting=Credential(kind="vault_static_role", target=target))
    incident = opened(s, "prod")
    assert enter(s, incident).state == "Waiting"
    assert server.log_in("reporting", old)
    s.say(s.asked(incident))
    assert enter(s, incident).state == "Completed"
    assert not server.log_in("reporting", old)
    new = root.secrets.database.get_static_credentials("reporting")["data"]["password"]
    assert server.log_in("reporting", new)
    assert s.now(incident).status == "done"
