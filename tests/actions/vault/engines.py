"""A database and an AWS engine at the site, for the actions that are about them."""

import json
from typing import Any

URL = "postgresql://{{username}}:{{password}}@db.example.org/shop"
ROOT = "vault-root"
FIRST = "canary-root-password"


def database(estate: Any) -> None:
    """Mount a database engine with a connection, a dynamic role and a static one."""
    root = estate.root
    root.sys.enable_secrets_engine("database")
    root.secrets.database.configure(
        "shop",
        plugin_name="postgresql-database-plugin",
        connection_url=URL,
        username=ROOT,
        password=FIRST,
        allowed_roles=["*"],
    )
    estate.world.database(URL).accounts["reporting"] = "canary-static-password"
    root.secrets.database.create_role(
        "web", "shop", ["CREATE ROLE"], default_ttl="1h", max_ttl="24h"
    )
    root.secrets.database.create_static_role("reporting", "shop", "reporting", [], "24h")


def aws(estate: Any) -> None:
    """Mount an AWS engine with a role whose every credential is an IAM user."""
    root = estate.root
    root.sys.enable_secrets_engine("aws")
    root.secrets.aws.configure_root_iam_credentials("AKIAEXAMPLEROOT", "canary-aws-secret")
    root.secrets.aws.create_or_update_role(
        "deploy", "iam_user", policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"]
    )


def credentials(estate: Any, count: int, path: str = "database/creds/web") -> list[str]:
    """Have this many credentials given out; return their lease ids."""
    asked = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/v1/{path}",
        "HTTP_X_VAULT_TOKEN": estate.world.root_token,
    }
    # Not by hvac: for thousands, what requests does around each takes longest.
    made = (estate.world.handle(dict(asked)) for _ in range(count))
    return [str(json.loads(answer.body)["lease_id"]) for answer in made]


def transit(estate: Any, versions: int = 1) -> Any:
    """Mount a transit engine with a key of so many versions; return hvac's part for it."""
    estate.root.sys.enable_secrets_engine("transit")
    made = estate.root.secrets.transit
    made.create_key("orders")
    for _ in range(versions - 1):
        made.rotate_key("orders")
    return made


def pki(estate: Any) -> None:
    """Mount a PKI engine with a root and a role."""
    estate.root.sys.enable_secrets_engine("pki")
    estate.root.write("pki/root/generate/internal", common_name="Example CA", ttl="8760h")
    estate.root.write("pki/roles/web", allowed_domains="example.org", allow_subdomains=True)


def certificate(estate: Any, name: str = "www") -> str:
    """Issue a certificate; return its serial number."""
    answer = estate.root.write("pki/issue/web", common_name=f"{name}.example.org", ttl="24h")
    return str(answer["data"]["serial_number"])
