"""Assets: read frames, call the domain, return frames with metadata. One module per dataset.

Belongs here: what Dagster must know to make a table. Not here: formulas (domain) and storage (warehouse).
"""
