"""A folder for each feed: how its payloads are fetched, where they are landed, how they become rows, and its record.

Belongs here: clients, captures, parsers, and what is particular to a feed (``registry.FEEDS``). Not here: the landing
zone itself (``storage/``), and decisions about players or lines (``domain/``).
"""
