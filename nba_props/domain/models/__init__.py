"""Weekly models: their training rows, how they are trained and judged, and the card that describes each.

Belongs here: what is common to models of every library and system. Not here: files (storage), betting rules (systems).
"""
