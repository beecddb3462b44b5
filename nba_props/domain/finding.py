"""The result of a rule for a date or a span, from which checks, validation, reports and alerts are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How serious a finding that did not pass is: a WARN needs a look, an ERROR blocks and needs a repair."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Finding:
    """Whether a rule passed, in words and figures, and how serious it is if it did not."""

    passed: bool
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    #: there was nothing to judge: then the check of a date passes, the validation of a span does not
    nothing: bool = False
    #: systems whose figures are a likely bug, and these figures
    suspects: Mapping[str, str] = field(default_factory=dict)

    @property
    def warns(self) -> bool:
        """Whether it is a warning."""
        return self.severity is Severity.WARN
