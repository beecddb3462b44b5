"""Asset checks: what must hold of each table, per date, with figures a person can act on.

Belongs here: which asset a rule stands on, what it is called and whether it blocks, a module a dataset, and the
registration with Dagster. Does not: what a rule asks and judges (domain/quality), quarantining (domain/gate.py) or
alerting (automation).
"""
