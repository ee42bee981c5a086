"""What an AFF4 container says of itself: the hashes that stand in its `information.turtle`.

The container is a ZIP archive; `information.turtle` is RDF, of which only the literals with a hash
datatype are read, by what they look like: `aff4:hash "..."^^aff4:SHA1`. The hashes are of the image
or of its maps and blocks, never of the file (AFF4 Standard v1.0).
"""

import re

from evidence.sources.container import MalformedError, ReadAt, Said
from evidence.sources.zip_member import member

TURTLE = b"information.turtle"
_MOST = 8 << 20
_SIZES = {"MD5": 32, "SHA1": 40, "SHA256": 64, "SHA512": 128, "Blake2b": 128}
# The property, once, then one or more literals: `aff4:hash "..."^^aff4:MD5 , "..."^^aff4:SHA1`.
_STATED = re.compile(
    r"(?P<property>(?:aff4:|<http://aff4\.org/Schema#)\w{0,40}[hH]ash>?)|"
    r"\"(?P<value>[0-9a-fA-F]{32,128})\"\^\^(?:aff4:|<http://aff4\.org/Schema#)"
    r"(?P<kind>MD5|SHA1|SHA256|SHA512|Blake2b)\b"
)


def aff4_claims(read: ReadAt, size: int) -> Said | None:
    """Return what a container of `size` bytes says; None for a ZIP archive that is no AFF4."""
    said = Said("AFF4")
    try:
        turtle = member(read, size, TURTLE, _MOST)
    except MalformedError as error:
        said.note(f"malformed: {error}")
        return said
    if turtle is None:
        return None
    name = "hash"
    for one in _STATED.finditer(turtle.decode("utf-8", errors="replace")):
        if one["property"]:
            name = re.split("[:#]", one["property"])[-1].rstrip(">")
        elif len(one["value"]) == _SIZES[one["kind"]]:
            said.add(f"{one['kind'].lower()} as {name}", one["value"].lower())
        else:
            said.note(f"a {one['kind']} of {len(one['value'])} digits is none")
    if not said.claims:
        said.note("its information.turtle states no hash")
    return said
