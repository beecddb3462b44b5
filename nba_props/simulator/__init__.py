"""The simulated league: payloads in the shapes of the real APIs, plainly labelled as simulated.

Belongs here: making payloads. Does not: reading them; the platform must not know a simulated payload from a real one.
"""
