"""The site: static pages of each slate and its players, of the record and of the pipeline's health.

Belongs here: what is read for a page, and its layout. A page of a date is made from the lake's rows of that date and
before. Not here: when pages are made (assets, automation), and the page of a report (presentation/report.py).
"""
