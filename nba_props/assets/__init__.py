"""Assets: read frames, call the domain, return frames with metadata. One module per dataset.

Belongs here: what Dagster must know of a table's making. Does not: formulas (domain) and storage (warehouse).
"""
