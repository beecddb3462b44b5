"""The work of an operator: remediation, import, audit, backup, the doctor, day one.

Belongs here: what an operator does or asks, without Dagster. Not here: assets and jobs (assets, automation), printing
(cli).
"""
