"""Weekly models: what they learn from, how they are made and judged, and what is stored of them.

Belongs here: what holds for the model of any library and system. Does not: files (storage), betting rules (systems).
"""
