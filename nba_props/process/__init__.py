"""Belongs here: the operating-system process: its clock, stopping, the revision of its code, redaction of secrets.

Does not: anything about the league, or an import of another package; deployment.py has the objects of a deployment.
"""
