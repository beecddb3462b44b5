"""What people read: boards, scores in tables and words, the scoreboard's page and charts, the generated docs.

Belongs here: the text and layout of results. Not here: what writes a table, or decides anything.
"""
