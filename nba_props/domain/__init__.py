"""Decisions about basketball and betting: rules and formulas, as pure functions of frames and as statements.

Belongs here: rules, formulas, systems, views. Not here: Dagster, input and output, clocks.
"""
