"""All parts of the simulated Vault, by where they are mounted."""

from __future__ import annotations

from playbooks.drills.range.vault import kinds
from playbooks.drills.range.vault.approle_secrets import AppRoleSecrets
from playbooks.drills.range.vault.aws_creds import AwsEngine
from playbooks.drills.range.vault.database_static import DatabaseStatic
from playbooks.drills.range.vault.identity_aliases import IdentityAliases
from playbooks.drills.range.vault.identity_entities import IdentityEntities
from playbooks.drills.range.vault.identity_groups import IdentityGroups
from playbooks.drills.range.vault.kv import Kv
from playbooks.drills.range.vault.pki_revocation import PkiEngine
from playbooks.drills.range.vault.sys_audit import SysAudit
from playbooks.drills.range.vault.sys_capabilities import SysCapabilities
from playbooks.drills.range.vault.sys_leases import SysLeases
from playbooks.drills.range.vault.sys_mounts import SysMounts
from playbooks.drills.range.vault.sys_policies import SysPolicies
from playbooks.drills.range.vault.sys_root import SysRoot
from playbooks.drills.range.vault.sys_seal import SysSeal
from playbooks.drills.range.vault.token_engine import TokenEngine
from playbooks.drills.range.vault.token_roles import TokenRoles
from playbooks.drills.range.vault.transit import Transit
from playbooks.drills.range.vault.userpass import Userpass

SYSTEM: kinds.Parts = (
    SysSeal,
    SysRoot,
    SysLeases,
    SysPolicies,
    SysMounts,
    SysAudit,
    SysCapabilities,
)
TOKEN: kinds.Parts = (TokenEngine, TokenRoles)
IDENTITY: kinds.Parts = (IdentityEntities, IdentityAliases, IdentityGroups)

kinds.SECRETS |= {
    "kv": (Kv,),
    "database": (DatabaseStatic,),
    "aws": (AwsEngine,),
    "transit": (Transit,),
    "pki": (PkiEngine,),
}
kinds.AUTH |= {"approle": (AppRoleSecrets,), "userpass": (Userpass,)}
