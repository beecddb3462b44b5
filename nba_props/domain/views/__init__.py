"""Rules in SQL over several tables: views that anyone can query, and clauses that statements share.

Belongs here: portable GoogleSQL, run by both warehouses. Not here: what a table promises (schemas).
"""
