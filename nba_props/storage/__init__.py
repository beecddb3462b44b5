"""Belongs here: bytes that are not rows: files, the landing zone, models.

Does not: what a payload means (sources), and rows (warehouse).
"""
