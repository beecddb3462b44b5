"""What the project decides about basketball and betting: pure functions of frames.

Belongs here: rules and formulas. Does not: Dagster, input and output, clocks.
"""
