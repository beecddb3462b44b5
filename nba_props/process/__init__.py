"""The operating-system process.

Belongs here: its clock, stopping, the revision of its code, redaction of secrets; nothing here imports another package.
Does not: anything about the league, or the objects of a deployment (deployment.py).
"""
