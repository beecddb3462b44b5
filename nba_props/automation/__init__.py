"""Jobs, schedules, sensors and alerts: everything that runs on its own or is started by a person.

Belongs here: what Dagster has to know of it. Not here: what works without Dagster (operations).
"""
