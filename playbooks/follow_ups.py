"""Enters what is due: follow-ups whose time has come, questions that nobody answered.

`stanch serve` and `stanch worker` do so by themselves; this is for a schedule of Prefect's, where
neither stays.
"""

from playbooks.case.play import scheduled

follow_ups = scheduled("follow-ups")
