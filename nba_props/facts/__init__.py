"""Fixed facts: dates, teams, vocabularies.

Belongs here: also keys and digests; nothing here imports another package. Not here: a number that a
user may choose (settings), or a rule that is a decision of ours (domain).
"""
