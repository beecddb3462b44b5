"""The base of all errors that a user can fix. Their text is one sentence that names the remedy.

Every package derives its errors from it; commands print them as one line, without a traceback.
"""


class NbaPropsError(Exception):
    """A problem that a user can fix; any other exception is a bug."""
