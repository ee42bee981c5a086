"""The drill's scenarios by name; each is a module that is loaded only when it is played."""

from importlib import import_module

from playbooks.drills.stage import Sabotage, Scenario
from playbooks.errors import PlaybookError

# In the order in which they are played.
NAMES = (
    "compromised-instance",
    "leaked-access-key",
    "compromised-identity",
    "compromised-vault",
    "rotate-credentials",
    "access-review",
)


def find(name: str) -> Scenario:
    """Return the scenario. Raise PlaybookError with the names that there are."""
    if name not in NAMES:
        raise PlaybookError(f"there is no scenario {name!r}. There are: {', '.join(NAMES)}.")
    module = import_module(f"playbooks.drills.acts.{name.replace('-', '_')}")
    found: Scenario = module.SCENARIO
    return found


def sabotages() -> dict[str, tuple[str, Sabotage]]:
    """Return every sabotage by its name, with the scenario that it is seen in."""
    return {
        name: (scenario, sabotage)
        for scenario in NAMES
        for name, sabotage in find(scenario).sabotages.items()
    }
