"""The work of an operator: remediation, import, audit, backup, the doctor, day one.

Belongs here: what an operator does or asks, without Dagster. Does not: assets and jobs (assets, automation), printing
(cli).
"""
