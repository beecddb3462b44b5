"""Where payloads come from and how they become rows.

Belongs here: clients that land payloads, the landing zone, and parsers. Does not: decisions about players or lines.
"""
