"""The operating-system process.

Belongs here: its clock, stopping, the revision of its code, redaction of secrets; nothing here imports another package.
Not here: anything about the league, or the objects of a deployment (deployment.py).
"""
