"""The simulated league: payloads in the shapes of the real APIs, marked as simulated.

Belongs here: making payloads, and damaging them. Not here: reading them, which the platform does as for real ones.
"""
