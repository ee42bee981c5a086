"""`stanch resume`: enter an incident's play again, after an answer or a crash."""

from playbooks.desk.cli.respond import Patience, WithoutPrefect
from playbooks.desk.cli.surroundings import Json, here
from playbooks.desk.cli.told import tell_ending
from playbooks.respond.run import PATIENCE, run


def resume(
    incident: str,
    json: Json = False,
    without_prefect: WithoutPrefect = False,
    prefect_patience: Patience = PATIENCE,
) -> None:
    """Go on where the incident's play stands; what was done is not done again."""
    _, parts, db = here()
    ending = run(parts, db, incident, prefect=not without_prefect, patience=prefect_patience)
    tell_ending(db, incident, ending, as_json=json)
