"""Asset checks: what must hold of each table, per date, with figures a person can act on.

Belongs here: rules as one query for any number of dates, and their registration with Dagster. Does not: quarantining
(domain/gate.py) or alerting (automation).
"""
