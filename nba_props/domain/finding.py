"""What a rule found of a date or a span: the one answer that checks, validation, reports and alerts are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """What a finding that did not pass asks for: WARN a look, ERROR a halt and a repair."""

    WARN = "WARN"
    ERROR = "ERROR"


@dataclass(frozen=True)
class Finding:
    """Whether a rule passed, in words, with its figures by name, and how grave it is where it did not."""

    passed: bool
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    #: there was nothing to judge: a check of one date passes then, the validation of a span does not
    nothing: bool = False
    #: systems whose figures are a likely bug, and these figures
    suspects: Mapping[str, str] = field(default_factory=dict)

    @property
    def warns(self) -> bool:
        """Whether it asks for a look only."""
        return self.severity is Severity.WARN
