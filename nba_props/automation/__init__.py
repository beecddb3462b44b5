"""What happens by itself, and what a person starts: jobs, schedules, sensors, alerts.

Belongs here: what Dagster has to know of them. Does not: what is judged or done without Dagster (operations).
"""
