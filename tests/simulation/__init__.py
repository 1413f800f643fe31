"""Whole bad days in milliseconds: the real delivery code on a simulated clock and network.

Two processes of each resource share nothing but doubles; one seed decides what goes wrong, when.
`python -m tests.simulation 0 100000` runs many, `... SEED` one, with its schedule.
"""
