"""The storage seam: one interface, an implementation per profile.

Belongs here: moving tables in and out, atomically. Does not: any rule about basketball, betting or Dagster.
"""
