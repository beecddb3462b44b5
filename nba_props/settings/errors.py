"""Errors in settings."""

from nba_props.process.errors import NbaPropsError


class SettingsError(NbaPropsError, ValueError):
    """The settings do not allow what was requested; the message names the setting."""


class BadSetting(SettingsError):
    """An environment variable has a value that cannot be used; the message names it."""
