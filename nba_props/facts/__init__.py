"""Fixed facts: dates, teams, vocabularies.

Belongs here: also keys, digests, and what several rooms must agree on, such as the look-back or the hours of captures;
nothing here imports another package. Not here: what a user may choose (settings), or a rule on frames (domain).
"""
