"""Small changes to SQL, by its tokens: whatever is not changed stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlglot import tokenize
from sqlglot.tokens import Token

_WORDS = re.compile(r"\b(SELECT|CASE|WHEN|WHERE|AND|IN \(|IS NULL|FLOOR)\b|\b[a-z]\.\w+ (?:[<>=]|IN)")
_COMPARED = {
    "=": ("<>",), "<>": ("=",), "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
}  # fmt: skip
_OTHER = {"TRUE": "FALSE", "FALSE": "TRUE", "MAX": "MIN", "MIN": "MAX", "FLOOR": "CEIL", "DISTINCT": ""}
#: what ends a condition
_ENDS = frozenset(
    ("THEN", "WHEN", "ELSE", "END", "WHERE", "GROUP", "ORDER", "LEFT", "JOIN", "ON", "UNION", "FROM", "SELECT", ",")
)


def is_sql(text: str) -> bool:
    return bool(_WORDS.search(text))


def changed_sql(text: str) -> Iterator[str]:
    """The text with each change: a comparison, AND and OR, a null, a number, a literal, a condition or a branch left
    out, a default, the kind of a join, an order.
    """
    yield from dict.fromkeys(_changed(text))


def _changed(text: str) -> Iterator[str]:
    tokens = tokenize(text, read="bigquery")
    # ORDER BY is one token
    words = [text[t.start : t.end + 1].upper().split()[0] for t in tokens]
    depths = _depths(words)
    for n, (token, word) in enumerate(zip(tokens, words, strict=True)):
        for start, end, new in _of_token(n, tokens, words, depths):
            yield text[:start] + new + text[end:]
        if word in ("AND", "OR") and not _is_between(n, words, depths):
            yield text[: token.start] + ("OR" if word == "AND" else "AND") + text[token.end + 1 :]
            left, right = _operand(n, -1, word, words, depths), _operand(n, 1, word, words, depths)
            if left <= n - 1:
                yield text[: tokens[left].start] + text[tokens[n + 1].start :]
            yield text[: token.start] + text[tokens[right].end + 1 :]


def _of_token(
    n: int, tokens: Sequence[Token], words: Sequence[str], depths: Sequence[int]
) -> Iterator[tuple[int, int, str]]:
    """What to put in the place of a token, and of what follows it: start, end, text."""
    token, word = tokens[n], words[n]
    here, after = token.start, token.end + 1
    following = words[n + 1] if n + 1 < len(words) else ""
    if word in _COMPARED:
        yield from ((here, after, new) for new in _COMPARED[word])
    elif word in _OTHER:
        yield here, after, _OTHER[word]
    elif re.fullmatch(r"\d+(\.\d+)?", word):
        yield from ((here, after, str(float(word) + d if "." in word else int(word) + d)) for d in (1, -1))
    elif word.startswith("'") and re.fullmatch(r"[A-Z_]{3,}", token.text):
        yield here, after, f"'X{word[1:]}"
    elif word == "IS" and following in ("NULL", "NOT"):
        end = tokens[n + 1].end + 1
        yield (after, end, " NOT NULL") if following == "NULL" else (after, end, "")
    elif (word == "NOT" and (n == 0 or words[n - 1] != "IS")) or (word == "LEFT" and following == "JOIN"):
        yield here, after, ""
    elif word == "ORDER":
        end = _following(n, words, depths, {",", ")"})
        yield tokens[end].end + 1, tokens[end].end + 1, " DESC"
    elif word == "COALESCE":
        comma = _following(n + 1, words, depths, {","}) + 1
        close = _following(n + 1, words, depths, {")"}) + 1
        yield tokens[comma].start, tokens[close].start, ""
    elif word == "WHEN":
        rest = (k for k in range(n + 1, len(words)) if words[k] in ("WHEN", "ELSE", "END") and depths[k] == depths[n])
        end = next(rest, None)
        if end and (words[n - 1] != "CASE" or words[end] == "WHEN"):
            yield here, tokens[end].start, ""


def _depths(words: Sequence[str]) -> list[int]:
    """How many brackets and CASEs each token is in: what opens or closes one is outside, but END is in its CASE."""
    found, depth = [], 0
    for word in words:
        depth -= word == ")"
        found.append(depth)
        depth += word in ("(", "CASE")
        depth -= word == "END"
    return found


def _is_between(n: int, words: Sequence[str], depths: Sequence[int]) -> bool:
    """Whether an AND is the second half of a BETWEEN."""
    for k in range(n - 1, -1, -1):
        if depths[k] < depths[n] or (depths[k] == depths[n] and words[k] in ("AND", "OR")):
            return False
        if words[k] == "BETWEEN" and depths[k] == depths[n]:
            return True
    return False


def _operand(n: int, step: int, word: str, words: Sequence[str], depths: Sequence[int]) -> int:
    """The outermost token of the condition beside an AND or OR."""
    ends = _ENDS | {word} | ({"OR"} if word == "AND" else set())
    k, last = n + step, n
    while 0 <= k < len(words) and depths[k] >= depths[n]:
        opens = words[k] in ("(", "CASE") and depths[k] < depths[n]
        is_end = depths[k] == depths[n] and words[k] in ends and not _is_between(k, words, depths)
        if opens or is_end or (words[k] == ")" and depths[k] < depths[n]):
            break
        last, k = k, k + step
    return last


def _following(n: int, words: Sequence[str], depths: Sequence[int], ends: set[str]) -> int:
    """The token before the first end on the level inside the bracket at ``n``, or the last token."""
    opened = words[n] == "("
    level = depths[n] + opened
    for k in range(n + 1, len(words)):
        if words[k] in ends and depths[k] == (level - 1 if words[k] == ")" else level):
            return k - 1
    return len(words) - 1
