"""Runs a notebook's cells in this process and, as a program, writes what they answer into it.

``NBA_PROPS_HOME=... python -m nba_props_tests.notebooks docs/notebooks/NAME.ipynb`` does so over the demo's home.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import sys
from pathlib import Path
from typing import Any

PICTURE = "image/png"
FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"


def cells(path: Path) -> list[dict[str, Any]]:
    """The cells with code."""
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


def answers(path: Path) -> list[dict[str, Any]]:
    """The answer of each cell: its last expression as text, and the picture that it drew; nothing else may be printed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names: dict[str, Any] = {}
    found = []
    for cell in cells(path):
        *before, last = ast.parse("".join(cell["source"])).body
        is_asked = isinstance(last, ast.Expr)
        exec(compile(ast.Module(before if is_asked else [*before, last], []), path.name, "exec"), names)  # noqa: S102
        value = eval(compile(ast.Expression(last.value), path.name, "eval"), names) if is_asked else None  # noqa: S307
        answer = {} if value is None or plt.get_fignums() else {"text/plain": repr(value)}
        for number in plt.get_fignums():
            data = io.BytesIO()
            plt.figure(number).savefig(data, format="png", dpi=80, metadata={"Software": None})
            answer[PICTURE] = base64.b64encode(data.getvalue()).decode()
        plt.close("all")
        found.append(answer)
    return found


def stored(path: Path) -> list[dict[str, Any]]:
    """The answers that the notebook has, texts in one piece."""
    return [
        {kind: "".join(text) for output in cell["outputs"] for kind, text in output["data"].items()}
        for cell in cells(path)
    ]


def write(path: Path) -> None:
    """Put the answers of the cells into the notebook."""
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, answer) in enumerate(zip(code, answers(path), strict=True), 1):
        data = {kind: text if kind == PICTURE else text.splitlines(keepends=True) for kind, text in answer.items()}
        how = (
            {"output_type": "display_data"}
            if PICTURE in data
            else {"output_type": "execute_result", "execution_count": number}
        )
        cell |= {"execution_count": number, "outputs": [{**how, "metadata": {}, "data": data}] if answer else []}
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write(Path(name))
