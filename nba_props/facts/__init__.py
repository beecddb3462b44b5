"""Belongs here: what is true before any code runs: dates, teams, words. Nothing here imports another package.

Does not: a number that a user may choose (settings), and a rule that is a decision of ours (domain).
"""
