"""What is wrong with settings."""

from nba_props.process.errors import NbaPropsError


class SettingsError(NbaPropsError, ValueError):
    """What was asked for doesn't go with the settings; the message names the one that matters."""


class BadSetting(SettingsError):
    """An environment variable has a value that cannot be used; the message names it."""
