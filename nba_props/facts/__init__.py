"""What is true before any code runs: dates, teams, vocabularies, keys, and how a digest is made.

Does not belong here: a number that a user may choose (settings), a rule that we decided on (domain), or an import of
another package.
"""
