"""What of Stanch follows a contract alone, and was never run against what executes it."""

from collections.abc import Iterator

from evidence.sources.contract_only import CONTRACT_ONLY
from playbooks.desk.doctor.finding import Finding, ok
from playbooks.desk.doctor.place import Place


def contract_only(place: Place) -> Iterator[Finding]:
    """Say it, so that nobody learns it in an incident; nothing is wrong with the deployment."""
    for name, why in sorted(CONTRACT_ONLY.items()):
        yield ok("contract only", f"{name}: {why}")
