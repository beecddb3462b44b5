"""Tables of rows: one interface, an implementation for each profile (lake, BigQuery).

Belongs here: moving tables in and out, atomically. Not here: any rule about basketball or betting.
"""
