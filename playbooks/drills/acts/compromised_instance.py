"""A compromised host: found twice, contained, proven, rolled back, and released."""

from actions.aws import collection_document as collection
from playbooks.drills import screen, script
from playbooks.drills.range.estate import Estate
from playbooks.drills.range.estate_agent import make_collectable
from playbooks.drills.range.world import World
from playbooks.drills.sabotages import SABOTAGES
from playbooks.drills.scenario import HOST, serve_by_hand
from playbooks.drills.stage import Scenario, Stage, at_once


def _stage(world: World, estate: Estate) -> Stage:
    serve_by_hand(world, estate)
    bucket = collection.bucket_of(estate.account, estate.region)
    make_collectable(
        world, (estate.target, estate.sibling), bucket, collection.text(), collection.NAME
    )
    return HOST


SCENARIO = Scenario(
    name="compromised-instance",
    says="a host calls a command and control server, and holds credentials",
    build=at_once(_stage),
    play=script.play,
    show=screen.show,
    sabotages=SABOTAGES,
    prefect=True,
)
