"""The practice range: a simulated AWS on which the whole of Stanch can be run and attacked.

`World` (world.py) is the simulated cloud, `serve` (server.py) puts it on the loopback,
`build_estate` (estate.py) fills it with a scenario. See each for its shapes.
"""
