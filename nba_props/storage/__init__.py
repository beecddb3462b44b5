"""What is stored as files, not as rows.

Belongs here: files, the landing zone, models. Not here: what a payload means (sources), and rows (warehouse).
"""
