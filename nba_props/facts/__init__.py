"""What is true before any code runs.

Belongs here: dates, teams, vocabularies, keys, digests; nothing here imports another package. Does not: a number that a
user may choose (settings), or a rule that is a decision of ours (domain).
"""
