"""Belongs here: what people read, such as boards, the scoreboard with its page and charts, the dictionary.

Does not: what writes a table, or decides anything.
"""
