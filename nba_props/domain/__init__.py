"""Decisions about basketball and betting: rules and formulas, as pure functions of frames and as statements.

Belongs here: rules, formulas, systems, views. Does not: Dagster, input and output, clocks.
"""
