"""The docs' tables of environment variables, generated from ``settings/variables.py``.

They are between two marks of a page: ``python -m nba_props.presentation.variables PAGE...`` updates pages.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from nba_props.settings.variables import Topic, Variables

_BLOCK = re.compile(r"(<!-- variables: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(topic: Topic) -> str:
    """The variables of a topic as a Markdown table: name, meaning, default."""
    rows = ["| variable | meaning | default |", "|---|---|---|"]
    for field in Variables.model_fields.values():
        doc: Any = field.json_schema_extra
        if doc["topic"] is topic:
            rows.append(f"| `{field.alias}` | {field.description} | {doc['default']} |")
    return "\n".join(rows)


def brought_up_to_date(page: str) -> str:
    """The text of a page with current tables between its marks."""
    return _BLOCK.sub(lambda m: f"{m[1]}{table(Topic(m[2]))}\n{m[3]}", page)


def main() -> None:
    """Rewrite the pages named on the command line."""
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(brought_up_to_date(page.read_text()))


if __name__ == "__main__":
    main()
