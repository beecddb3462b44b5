"""Rules in SQL over several tables: views that anyone can query, and clauses that statements share.

Belongs here: portable GoogleSQL, run by both warehouses. Does not: what a table promises (schemas).
"""
