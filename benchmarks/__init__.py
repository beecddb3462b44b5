"""Belongs here: measurements of time and memory as ratios within one run (``make bench``), and long trials by hand.

Does not: assertions, which are tests. Data: real payloads where present (NBA_PROPS_REAL_DATA).
"""
