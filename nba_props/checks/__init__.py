"""Asset checks: what must hold of each table, by date, with figures a person can act on; a module for each dataset.

Belongs here: a rule's asset, its name and whether it blocks, and its registration with Dagster. Not here: the queries
and judgements (domain/quality), the quarantine (domain/gate.py) and alerts (automation).
"""
