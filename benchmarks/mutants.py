"""``python -m benchmarks.mutants [MODULE ...]``: small changes to the rules, and whether fast tests notice each.

A mutant is one module with one change: a comparison, a condition dropped, a number, a default, a call of pandas left
out, over for under, and the same in the SQL of its strings. Its tests run until the first failure. The score of a
module is the share of its mutants that are killed, with those that can't be in the count. A survivor is listed in
``survivors.toml`` with the reason; one that is not, or an entry that no survivor needs any more, is exit status 1.

Neither mutmut nor cosmic-ray does this: both leave SQL in strings and the vocabulary of pandas alone, mutmut also what
stands at the top of a module, and a process for each mutant would import pandas and Dagster a thousand times. Here a
process that has imported what others wrote is forked for each mutant and imports the package with the mutant in it, so
that whatever is made from a rule at import is made from the changed rule.
"""

from __future__ import annotations

import argparse
import ast
import gc
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module, machinery, util
from itertools import takewhile
from pathlib import Path

import hypothesis
import pytest

from benchmarks.sql_changes import changed_sql, is_sql

ROOT = Path(__file__).parents[1]
KNOWN = Path(__file__).with_name("survivors.toml")
#: the least share of mutants of each module that tests kill
LEAST = 0.85
#: a mutant is given so many times what the tests take without one, and at least so many seconds
PATIENCE, SECONDS = 6, 30

_TESTS = "nba_props_tests"
#: the tests of each module
MODULES: dict[str, tuple[str, ...]] = {
    "nba_props/domain/gate.py": ("domain/test_gate.py",),
    "nba_props/domain/lines.py": ("domain/test_lines.py", "domain/test_line_problems.py"),
    "nba_props/domain/book_lines.py": ("domain/test_consensus.py", "domain/test_lines.py", "domain/test_closing.py"),
    "nba_props/domain/grading.py": ("domain/test_grading.py",),
    "nba_props/domain/names.py": ("domain/test_names.py",),
    "nba_props/domain/odds.py": ("domain/test_odds.py", "domain/test_consensus.py"),
    "nba_props/domain/consensus.py": ("domain/test_consensus.py",),
    "nba_props/domain/prices.py": ("domain/test_odds.py", "domain/test_consensus.py"),
    "nba_props/operations/remediation.py": ("operations/test_remediation.py",),
    "nba_props/operations/selection.py": ("operations/test_remediation.py",),
    "nba_props/operations/archive.py": ("operations/test_remediation.py",),
}


@dataclass(frozen=True)
class Mutant:
    """A change to a module. ``apply`` makes it in the module's tree, in a process that ends afterwards."""

    module: str
    number: int
    line: str
    before: str
    after: str
    apply: Callable[[], None]

    @property
    def key(self) -> tuple[str, str, str]:
        """What an entry of ``survivors.toml`` names: a line that was edited since is another."""
        return self.module, self.line, self.change

    @property
    def change(self) -> str:
        return f"{self.before} -> {self.after}"


# --- what is changed -------------------------------------------------------------------------------------------------

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
_PAIRS = (
    ("any", "all"), ("min", "max"), ("isna", "notna"), ("eq", "ne"), ("lt", "le"), ("gt", "ge"), ("where", "mask"),
    ("minimum", "maximum"), ("floor", "ceil"), ("mean", "max"), ("median", "max"), ("sum", "max"), ("sorted", "list"),
    ("OVER", "UNDER"), ("left", "inner"), ("first", "last"),
)  # fmt: skip
_OTHER_NAME = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])} | {"max": "min", "list": "list"}
_LEFT_OUT = frozenset(
    ("fillna", "abs", "round", "clip", "drop_duplicates", "dropna", "sort_values", "where", "mask", "strip", "lower",
     "rstrip")
)  # fmt: skip
#: arguments that guard or name, and decide nothing
_NO_RULE = frozenset(
    ("strict", "validate", "kind", "dtype", "ignore_index", "index", "indicator", "suffixes", "as_index", "drop")
)
_NO_CODE = ("annotation", "returns", "decorator_list", "ctx")
_SIDE = re.compile(r"(?<![a-z])(over|under)(?![a-z])")
_CODE = re.compile(r"[A-Z][A-Z_]{3,}")


def _other_side(text: str) -> str:
    return _SIDE.sub(lambda m: "under" if m[1] == "over" else "over", text)


def _of_constant(value: object) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, float):
        yield from (round(value * 1.1, 9), round(value * 0.9, 9)) if value else (1.0,)
    elif isinstance(value, str) and " " not in value:
        if _other_side(value) != value:
            yield _other_side(value)
        elif value in _OTHER_NAME:
            yield _OTHER_NAME[value]
        elif _CODE.fullmatch(value):
            yield f"X{value}"


def _of_sql(node: ast.expr) -> Iterator[ast.expr]:
    """A string of SQL, or one with values in it, with each change of its tokens."""
    values = [v for v in node.values if isinstance(v, ast.FormattedValue)] if isinstance(node, ast.JoinedStr) else []
    for text in changed_sql(_text(node)):
        parts = re.split(r"zq(\d+)q", text)
        whole = ast.JoinedStr([values[int(p)] if n % 2 else ast.Constant(p) for n, p in enumerate(parts)])
        yield whole if values else ast.Constant(text)


def _text(node: ast.expr) -> str:
    """The text of a string, with a name in the place of each value in it."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    numbers = iter(range(len(node.values)))
    return "".join(v.value if isinstance(v, ast.Constant) else f"zq{next(numbers)}q" for v in node.values)


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions that may stand in the place of one."""
    if isinstance(node, ast.Constant):
        yield from (ast.Constant(v) for v in _of_constant(node.value))
    yield from _of_operation(node)
    yield from _of_name(node)


def _of_operation(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, ops, comparators):
            for n, op in enumerate(ops):
                for other in _COMPARED[type(op)]:
                    yield ast.Compare(left, [*ops[:n], other(), *ops[n + 1 :]], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for n in range(len(values)):
                rest = [*values[:n], *values[n + 1 :]]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.BinOp(left, op, right) if type(op) in _COUNTED and not (_is_text(left) or _is_text(right)):
            yield ast.BinOp(left, _COUNTED[type(op)](), right)
            if isinstance(op, ast.BitAnd | ast.BitOr):
                yield from (left, right)
        case ast.UnaryOp(op, operand) if not isinstance(operand, ast.Constant) and not isinstance(op, ast.UAdd):
            yield operand
        case ast.IfExp(_, body, orelse):
            yield from (body, orelse)


def _of_name(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Attribute(value, attr) if _has_other(value, attr):
            yield ast.Attribute(value, _OTHER_NAME[attr], node.ctx)
        case ast.Name(name) if name in ("min", "max", "any", "all", "sorted"):
            yield ast.Name(_OTHER_NAME[name], node.ctx)
        case ast.List(items) | ast.Set(items) | ast.Tuple(items) if len(items) > 1 and all(map(_is_plain, items)):
            for n in range(len(items)):
                yield _with(node, elts=[*items[:n], *items[n + 1 :]])
        case ast.Call(ast.Attribute(value, attr)) if attr in _LEFT_OUT and _has_other(value, "where"):
            yield value


def _has_other(value: ast.expr, name: str) -> bool:
    """Whether the attribute of a value has an opposite: numpy has no mask beside its where."""
    return name in _OTHER_NAME and not (isinstance(value, ast.Name) and value.id == "np" and name == "where")


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Starred)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Expr(ast.Call()) | ast.Raise() | ast.Assign([ast.Subscript()]) | ast.Continue():
            yield ast.Pass()
        case ast.If(test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.AugAssign(_, op) if type(op) in _COUNTED:
            yield _with(node, op=_COUNTED[type(op)]())


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.AST, ast.AST, Callable]]:
    """Each node of a module that may be another, the other, what both are a part of, and what puts one there."""
    for parent in _deciding(tree):
        for field, value in ast.iter_fields(parent):
            places = [(value, n, v) for n, v in enumerate(value)] if isinstance(value, list) else [(None, 0, value)]
            for holder, n, node in places if field not in _NO_CODE else ():
                others = [*_others(parent, field, node)]
                if isinstance(parent, ast.comprehension) and field == "ifs":
                    others.append(ast.Constant(True))
                for other in others:
                    yield node, other, parent, _placed(parent, field, holder, n, node)


def _deciding(node: ast.AST) -> Iterator[ast.AST]:
    """A node and those in it, but for types and decorators."""
    yield node
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and field not in _NO_CODE:
                yield from _deciding(child)


def _others(parent: ast.AST, field: str, node: object) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    if not isinstance(node, ast.expr) or not _decides(parent, field, node):
        return
    if isinstance(node, ast.JoinedStr | ast.Constant) and is_sql(_text(node)):
        yield from _of_sql(node)
    elif not isinstance(parent, ast.JoinedStr):
        # one less of several values that go together is an error, which any test notices
        together = isinstance(parent, ast.Tuple | ast.List) or _calls(parent, "select")
        others = (o for o in _of_expression(node) if not (together and isinstance(o, ast.Tuple | ast.List)))
        # what is named max in one place is a column in another
        is_word = isinstance(node, ast.Constant) and node.value in _OTHER_NAME
        yield from others if not is_word or isinstance(parent, ast.Call | ast.keyword | ast.Tuple) else ()


def _decides(parent: ast.AST, field: str, node: ast.expr) -> bool:
    """Whether an expression is a part of a rule: no docstring, no target of an assignment, no guard."""
    if isinstance(parent, ast.Expr) and not isinstance(node, ast.Call):
        return False
    if isinstance(parent, ast.keyword) and parent.arg in _NO_RULE:
        return False
    if isinstance(parent, ast.Subscript) and isinstance(node, ast.Tuple):
        return False
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and node.right.value is None:  # a type
        return False
    if isinstance(parent, ast.JoinedStr) and isinstance(node, ast.Constant):
        return False
    return not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def _placed(parent: ast.AST, field: str, holder: list[ast.AST] | None, n: int, node: ast.AST) -> Callable:
    """What puts another node in the place of one."""

    def place(other: ast.AST) -> None:
        new = other if other is node else ast.fix_missing_locations(ast.copy_location(other, node))
        if holder is None:
            setattr(parent, field, new)
        else:
            holder[n] = new

    return place


def _shown(node: ast.expr) -> str:
    """The text of a string as it is written."""
    values = [v for v in getattr(node, "values", ()) if isinstance(v, ast.FormattedValue)]
    return re.sub(r"zq(\d+)q", lambda m: f"{{{ast.unparse(values[int(m[1])].value)}}}", _text(node))


def _difference(before: str, after: str) -> tuple[str, str]:
    """Two texts from the word before their first difference to the word after their last."""
    before, after = (" ".join(t.split()) for t in (before, after))
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    # whole words, and the one before them
    start = max(before.rfind(" ", 0, max(before.rfind(" ", 0, start), 0)) + 1, start - 40, 0)
    tail = re.match(r"\S*(?: \S+)?", before[len(before) - end :])
    end -= len(tail[0][:25]) if tail else 0
    return before[start : len(before) - end], after[start : len(after) - end]


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def mutants(module: str, tree: ast.Module, source: Sequence[str]) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    found = []
    for node, other, parent, place in _changes(tree):
        is_text = all(isinstance(n, ast.Constant | ast.JoinedStr) and is_sql(_text(n)) for n in (node, other))
        if is_text:
            before, after = _shown(node), _shown(other)
        elif isinstance(node, ast.Constant) and isinstance(parent, ast.expr) and not isinstance(parent, ast.Dict):
            before = ast.unparse(parent)  # a number alone may be any of its line
            place(other)
            after = ast.unparse(parent)
            place(node)
        else:
            before, after = ast.unparse(node), ast.unparse(ast.fix_missing_locations(other))
        number = node.lineno + before.count("\n", 0, _alike(before, after)) * is_text
        before, after = _difference(before, after)
        apply = partial(place, other)
        found.append(Mutant(module, number, source[number - 1].strip(), before, after or "(nothing)", apply))
    return sorted(found, key=lambda m: m.number)


# --- whether tests notice --------------------------------------------------------------------------------------------


class _Loader(machinery.SourceFileLoader):
    """Loads a module from a tree that was changed."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> object:
        return compile(self._tree, self.path, "exec", dont_inherit=True)


class _Finder:
    def __init__(self, module: str, tree: ast.Module) -> None:
        self.name, self.path, self.tree = _name(module), str(ROOT / module), tree

    def find_spec(self, name: str, *_: object) -> machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return util.spec_from_file_location(name, self.path, loader=_Loader(name, self.path, self.tree))


class _Quickest:
    """Runs the quickest tests first, and keeps what each took and the first that failed."""

    def __init__(self, took: dict[str, float]) -> None:
        self.took, self.failed = took, ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda i: self.took.get(i.nodeid, 0))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.took[report.nodeid] = self.took.get(report.nodeid, 0) + report.duration
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def _arguments(tests: Sequence[str]) -> list[str]:
    # rules on frames need none of the fixtures of the platform, whose import is half of a mutant's time
    alone = ["--noconftest", "-p", f"{_TESTS}.domain.conftest"]
    quick = ["-x", "--assert=plain", "-p", "no:unraisableexception"]
    return [*alone, *quick, *(str(ROOT / _TESTS / t) for t in tests)]


def _run(tests: Sequence[str], took: dict[str, float]) -> tuple[str, dict[str, float]]:
    """The first test that fails, or nothing; and what each took."""
    plugin = _Quickest(took)
    status = pytest.main(_arguments(tests), plugins=[plugin])
    return plugin.failed or ("" if status == 0 else f"pytest ends with {status}"), plugin.took


def _forked(work: Callable[[], str], seconds: float) -> str:
    """What a function answers in a process of its own, which prints nothing."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(quiet, stream)
        try:
            answer = work()
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(theirs, f"={answer}".encode())
        os._exit(0)
    os.close(theirs)
    answer, until = b"", time.monotonic() + seconds
    while select.select([ours], [], [], max(until - time.monotonic(), 0))[0] and (more := os.read(ours, 65536)):
        answer += more
    os.close(ours)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if time.monotonic() >= until:
        return "takes too long"
    return answer.decode().removeprefix("=") if answer else "the process ends without an answer"


def warm(module: str, tests: Sequence[str]) -> None:
    """Import whatever the tests import that does not import the module, so that a forked process has it."""
    names = [_name(f"{_TESTS}/{t}") for t in tests]
    code = f"import sys, dagster, {', '.join(names)}\nprint(*sys.modules, sep='\\n')"
    listed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    changed = {_name(module)}
    ours = [n for n in listed.stdout.split() if n.split(".")[0] in ("nba_props", _TESTS)]
    imports = {name: _imports(name) for name in ours}
    while more := {n for n in ours if n not in changed and imports[n] & changed}:
        changed |= more
    for name in listed.stdout.split():
        if name not in changed and name != "__main__" and not name.startswith(_TESTS):
            try:
                import_module(name)
            except ImportError:  # some exist by another name only
                continue
    if both := changed & sys.modules.keys():
        raise RuntimeError(f"{', '.join(sorted(both))}: imported by a name in a text, so mutants would be missed")
    gc.collect()
    gc.freeze()


def _name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(name: str) -> set[str]:
    """The modules that a module of ours imports, anywhere in it, those it may mean by a name in a package, and the
    packages it is in.
    """
    place = ROOT / name.replace(".", "/")
    path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    names = {name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return names


def judge(
    module: str, chosen: Callable[[list[Mutant]], list[Mutant]], *, verbose: bool = False
) -> list[tuple[Mutant, str]]:
    """The mutants of a module, each with the test that kills it, or nothing."""
    tests = MODULES[module]
    warm(module, tests)
    text = (ROOT / module).read_text()
    tree = ast.parse(text)
    todo = chosen(mutants(module, tree, text.splitlines()))

    def baseline() -> str:
        failed, took = _run(tests, {})
        return repr((failed, took))

    started = time.monotonic()
    failed, took = ast.literal_eval(_forked(baseline, 600))
    if failed:
        raise SystemExit(f"{module}: without a mutant, {failed} fails")
    patience = max(SECONDS, PATIENCE * (time.monotonic() - started))
    judged = []
    for n, mutant in enumerate(todo):

        def mutated(mutant: Mutant = mutant) -> str:
            mutant.apply()
            sys.meta_path.insert(0, _Finder(module, tree))
            return _run(tests, took)[0]

        killer = _forked(mutated, patience)
        judged.append((mutant, killer))
        if killer in took:
            took[killer] = -n  # what notices one change of a line often notices the next: it is asked first
        if verbose:
            print(f"{module}:{mutant.number}: {mutant.change} [{killer or 'lives'}]", flush=True)
    return judged


# --- what is said ----------------------------------------------------------------------------------------------------


def known() -> dict[tuple[str, str, str], str]:
    """Why each listed survivor lives."""
    entries = tomllib.loads(KNOWN.read_text())["survivor"]
    return {(e["module"], e["line"], e["change"]): e["why"] for e in entries}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", help="all by default", metavar="MODULE")
    parser.add_argument("--sample", type=int, help="only so many mutants of each module")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    parser.add_argument("--verbose", action="store_true", help="each mutant and the test that kills it")
    asked = parser.parse_args(arguments)
    modules = [
        m
        for m in MODULES
        if not asked.modules or any(m.endswith(f"/{a.removesuffix('.py')}.py") for a in asked.modules)
    ]
    if not modules:
        parser.error(f"there are {', '.join(Path(m).stem for m in MODULES)}")
    os.environ["HYPOTHESIS_EXAMPLES"] = "mutants"
    hypothesis.settings.register_profile("mutants", deadline=None, max_examples=12, derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")

    def chosen(all_of_it: list[Mutant]) -> list[Mutant]:
        if not asked.sample:
            return all_of_it
        some = random.Random(asked.seed).sample(all_of_it, min(asked.sample, len(all_of_it)))  # noqa: S311
        return sorted(some, key=lambda m: m.number)

    reasons, wrong = known(), []
    print("module                                  mutants  killed  survived  score")
    for module in modules:
        judged = judge(module, chosen, verbose=asked.verbose)
        lives = [m for m, killer in judged if not killer]
        score = 1 - len(lives) / len(judged)
        print(f"{module:38}  {len(judged):7}  {len(judged) - len(lives):6}  {len(lives):8}  {score:5.1%}", flush=True)
        for (_, line, change), times in Counter(m.key for m in lives).items():
            number = next(m.number for m in lives if m.key == (module, line, change))
            why = reasons.get((module, line, change)) or f"NOT LISTED, in: {line}"
            print(f"  {module}:{number}: {change}{f' ({times} times)' * (times > 1)}\n    {why}")
        wrong += [f"{module}: {m.change} lives and is not listed" for m in lives if m.key not in reasons]
        if not asked.sample:
            needed = {m.key for m in lives}
            stale = [k for k in reasons if k[0] == module and k not in needed]
            wrong += [f"{module}: {change}: no survivor is this entry's, in: {line}" for _, line, change in stale]
            wrong += [f"{module}: {score:.1%} is less than {LEAST:.0%}"] * (score < LEAST)
    print("\n".join(wrong))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
