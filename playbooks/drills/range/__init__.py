"""The practice range: a simulated AWS on which the whole of Stanch can be run and attacked.

`World` (world.py) is the simulated cloud, `serve` (server.py) puts it on the loopback,
`build_estate` (estate.py) fills it with hosts, `build_identity` (estate_identity.py) with an
organisation and a leaked key; `Attacker` and `Pursuit` (adversary.py, pursuit.py) fight back. See
each for its shapes.

What AWS does is taken from the documentation that each file names, and from nothing else: no part
of the range was compared with AWS itself. How long IAM takes to bind what is written is documented
nowhere, and is the caller's to choose (World.delay).
"""
