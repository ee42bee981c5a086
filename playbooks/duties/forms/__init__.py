"""Reports that authorities take in fields: one file a form, and which duty is reported on which."""

from collections.abc import Callable, Mapping

from playbooks.duties.duty import Duty
from playbooks.duties.forms.cra import FORM as CRA
from playbooks.duties.forms.cra import cra
from playbooks.duties.forms.dora import FORM as DORA
from playbooks.duties.forms.dora import dora
from playbooks.duties.forms.edpb import FORM as EDPB
from playbooks.duties.forms.edpb import edpb
from playbooks.duties.forms.hhs import FORM as HHS
from playbooks.duties.forms.hhs import hhs
from playbooks.duties.forms.nis2 import FORM as NIS2
from playbooks.duties.forms.nis2 import nis2
from playbooks.duties.forms.sec_8k import FORM as SEC_8K
from playbooks.duties.forms.sec_8k import sec_8k
from playbooks.duties.organisation import Organisation

Report = Callable[[Duty, Organisation, Mapping[str, str]], dict[str, object]]

_WRITERS = ((EDPB, edpb), (DORA, dora), (NIS2, nis2), (CRA, cra), (HHS, hhs), (SEC_8K, sec_8k))
# By `regime/stage`; a duty that is not among them has a letter and no form.
FORMS: Mapping[str, Report] = {key: write for form, write in _WRITERS for key in form.stages}
