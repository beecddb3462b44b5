"""The pipeline under a seeded simulator of everything around it: feeds, clock, sensors, commands, kills.

One seed decides which payloads land when and how damaged, what servers answer, when sensors tick, what a person
types, and at which write a process is killed. The assets, checks, sensors and commands are the real ones, in one
process. After every event the invariants of ``invariants.py`` hold; when the faults stop, the tables equal those of a
plain backfill of what landed.

    python -m nba_props_tests.simulation 42              # plays a seed
    python -m nba_props_tests.simulation 42 --events 0,3,4   # plays some of its events

Outside: Dagster's daemon and its threads, and kills of real processes, which ``faults.py`` and ``benchmarks/kills.py``
have.
"""
