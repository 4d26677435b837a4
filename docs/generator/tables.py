"""Tables in Markdown, and what a source says about its own fields."""

import ast
import inspect
from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import ModuleType


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def code(text: object) -> str:
    """Set a text as code; nothing where there is none."""
    return f"`{text}`" if str(text) else ""


def said(module: ModuleType, name: str) -> dict[str, str]:
    """Read what the texts below the fields of a class say, by field."""
    tree = ast.parse(inspect.getsource(module))
    (owner,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    texts: dict[str, str] = {}
    for before, after in zip(owner.body, owner.body[1:], strict=False):
        text = ast.get_docstring(_body(after)) if isinstance(after, ast.Expr) else None
        target = _target(before)
        if target and text:
            texts[target] = line(text)
    return texts


def members(module: ModuleType, kind: type[StrEnum]) -> list[tuple[str, str]]:
    """List the values of an enum with what is said of each."""
    texts = said(module, kind.__name__)
    return [(member.value, texts.get(member.name, "")) for member in kind]


def line(text: str) -> str:
    """Make one line of a docstring, in Markdown."""
    return " ".join(text.replace("``", "`").split())


def _body(text: ast.Expr) -> ast.Module:
    return ast.Module(body=[text], type_ignores=[])


def _target(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
