"""Bytes that are not rows: files, the landing zone, models. What a payload means belongs to the sources, rows to the
warehouse.
"""
