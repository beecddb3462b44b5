"""Ratios measured in one run: ``make bench``. Data: real payloads where present (NBA_PROPS_REAL_DATA)."""
