"""Errors that a user can do something about. Their text is one sentence that names the way out.

Every room has errors of its own below these; a command prints any of them as one line, without a traceback.
"""


class NbaPropsError(Exception):
    """What a user can put right; everything else that is raised is a mistake of the code."""
