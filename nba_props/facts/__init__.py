"""What is true before any code runs: dates, teams, words. Nothing here imports another room; a number that somebody
may choose is a setting, and a rule that somebody may judge otherwise belongs to the domain.
"""
