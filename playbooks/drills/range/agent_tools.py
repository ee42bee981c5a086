"""What the tools of a simulated host say: stand-ins, as shell scripts, of a made-up attack."""

from __future__ import annotations


def says(text: str) -> str:
    """A tool that says this, whatever it is asked."""
    return f"#!/bin/sh\ncat <<'THE_END'\n{text.strip()}\nTHE_END\n"


TOOLS: dict[str, str | None] = {
    "ss": says("""
Netid State  Local Address:Port Peer Address:Port Process
tcp   LISTEN 0.0.0.0:443        0.0.0.0:*         users:(("nginx",pid=811,fd=6))
tcp   ESTAB  10.0.1.10:41922    203.0.113.77:443  users:(("kworkerd",pid=4242,fd=3))
"""),
    "ip": says(
        "default via 10.0.1.1 dev eth0\n10.0.1.1 dev eth0 lladdr 06:00:00:00:00:01 REACHABLE"
    ),
    "ps": says("""
 PID PPID USER  STARTED                  TT STAT COMMAND
   1    0 root  Thu Nov 26 08:00:00 2026 ?  Ss   /sbin/init
 811    1 www   Thu Nov 26 08:00:02 2026 ?  S    nginx: worker process
4242  811 www   Thu Nov 26 11:59:58 2026 ?  S    /dev/shm/.x/kworkerd 203.0.113.77
"""),
    "lsof": says("kworkerd 4242 www txt REG 0,23 18432 7 /dev/shm/.x/kworkerd (deleted)"),
    "who": says("www pts/0 2026-11-26 11:58 (203.0.113.77)"),
    "lsmod": says("Module Size Used by\nena 155648 0"),
    "findmnt": says("/ /dev/nvme0n1p1 xfs rw\n/dev/shm tmpfs tmpfs rw"),
    "find": says("7 20 -rwx------ 1 www www 18432 Nov 26 11:59 /dev/shm/.x/kworkerd"),
}
