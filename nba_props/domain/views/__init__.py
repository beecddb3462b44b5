"""What is decided in SQL over several tables, as views that anyone can query and as clauses that statements share.

Belongs here: portable GoogleSQL, run by both warehouses. Does not: what a table promises (schemas).
"""
