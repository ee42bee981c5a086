"""Who notifies: the names and addresses that letters and forms carry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Organisation:
    """The organisation that notifies; what is empty is not known, and never made up."""

    name: str
    address: str = ""
    contact: str = ""
    # A register number, LEI, CIK or the like, as the recipient knows the organisation.
    identifier: str = ""
    country: str = ""
