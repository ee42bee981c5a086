"""A Vault with two applications in it, and Stanch logged in on a mount of its own."""

from dataclasses import dataclass
from typing import Any

from hvac import exceptions

from playbooks.drills.range.vault.world import VaultWorld

NAME = "prod"
ALL = '["create", "read", "update", "patch", "delete", "list", "sudo"]'
EVERYTHING = f'path "*" {{ capabilities = {ALL} }}'
READS_ITS_SECRET = 'path "secret/data/{}/*" {{ capabilities = ["read"] }}'
APPS = ("web", "batch")


@dataclass(frozen=True)
class Login:
    """What an application logs in with, by AppRole."""

    role: str
    role_id: str
    secret_id: str
    accessor: str


@dataclass
class Estate:
    """`root` is an hvac client that may do everything, `stanch` the token that Stanch acts with."""

    world: VaultWorld
    root: Any
    stanch: str
    apps: dict[str, Login]


def build(world: VaultWorld) -> Estate:
    """Make the site with hvac calls."""
    root = world.client(world.root_token)
    for mount in ("approle", "stanch"):
        root.sys.enable_auth_method("approle", path=mount)
    apps = {}
    for app in APPS:
        root.sys.create_or_update_acl_policy(app, READS_ITS_SECRET.format(app))
        secret = {"password": f"hunter-{app}", "user": app}
        root.secrets.kv.v2.create_or_update_secret(f"{app}/db", secret)
        apps[app] = role(root, "approle", app)
    root.sys.create_or_update_acl_policy("stanch", EVERYTHING)
    return Estate(world, root, log_in(world, role(root, "stanch", "stanch"), "stanch"), apps)


def role(root: Any, mount: str, name: str) -> Login:
    """Make an AppRole role that has the policy of its name, and a secret id for it."""
    roles = root.auth.approle
    roles.create_or_update_approle(name, token_policies=[name], mount_point=mount)
    role_id = roles.read_role_id(name, mount_point=mount)["data"]["role_id"]
    made = roles.generate_secret_id(name, mount_point=mount)["data"]
    return Login(name, role_id, made["secret_id"], made["secret_id_accessor"])


def log_in(world: VaultWorld, login: Login, mount: str = "approle") -> str:
    """Return a token for a login; raise what hvac raises when it is refused."""
    answer = world.client().auth.approle.login(
        login.role_id, login.secret_id, use_token=False, mount_point=mount
    )
    return str(answer["auth"]["client_token"])


def works(world: VaultWorld, login: Login) -> bool:
    """Return whether an application logs in and reads its secret, as it does every minute."""
    try:
        client = world.client(log_in(world, login))
        client.adapter.get(f"/v1/secret/data/{login.role}/db")
    except exceptions.VaultError:
        return False
    return True


def met(estate: Estate) -> tuple[bool, bool]:
    """Return whether the neighbour is served, and whether the target's own application works."""
    return works(estate.world, estate.apps["batch"]), works(estate.world, estate.apps["web"])
