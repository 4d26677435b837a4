"""The records of the journals and the tables of run.db, from the types and the schema."""

import sqlite3
from typing import Final, get_args

from msgspec import inspect

from docs.generator.meanings import COLUMNS, FIELDS, TABLES
from docs.generator.tables import code, line, said, table
from vaultstorm.reconcile import schema
from vaultstorm_wire import journal as wire

_COMMON: Final = ("time",)


def journal() -> str:
    """Describe every record of a journal."""
    parts = []
    for kind in get_args(wire.AnyRecord):
        tag = kind.__struct_config__.tag
        rows = [
            (code(field.encode_name), _type(field.type), _default(field), _meaning(kind, field))
            for field in _fields(kind)
            if field.name not in _COMMON
        ]
        parts += [
            f"### {tag}",
            line(kind.__doc__ or ""),
            table(("field", "type", "if left out", "is"), rows),
        ]
    return "\n\n".join(parts)


def database() -> str:
    """Describe every table and every view of run.db."""
    db = sqlite3.connect(":memory:")
    schema.create(db)
    made = db.execute(
        "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY type, rowid"
    ).fetchall()
    parts = []
    for name, kind in made:
        columns = db.execute(f"PRAGMA table_info({name})").fetchall()
        if kind == "view":
            parts += [f"### {name} (view)", _table(name)]
            parts.append(", ".join(code(column[1]) for column in columns) + ".")
            continue
        rows = [(code(c[1]), c[2], _column(name, c[1])) for c in columns if c[1] != "variant"]
        parts += [f"### {name}", _table(name), table(("column", "type", "is"), rows)]
    return "\n\n".join(parts)


def _table(name: str) -> str:
    assert name in TABLES, f"say in docs/generator/meanings.py what {name} is"
    return TABLES[name]


def _meaning(kind: type[wire.Record], field: inspect.Field) -> str:
    """Say what a field is: by the text below it in the code, or else by `FIELDS`."""
    texts = said(wire, kind.__name__)
    name = f"{kind.__struct_config__.tag}.{field.name}"
    found = FIELDS.get(name) or texts.get(field.name)
    assert found, f"say in docs/generator/meanings.py what {name} is"
    return found


def _fields(kind: type[wire.Record]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return found.fields


def _column(name: str, column: str) -> str:
    """Say what a column is: as the field of the record that it is filled from, or by `COLUMNS`."""
    own = COLUMNS.get(f"{name}.{column}")
    if own:
        return own
    kinds = {kind.__struct_config__.tag: kind for kind in get_args(wire.AnyRecord)}
    if column in _COMMON and name in kinds:
        return "when, in seconds since 1970"
    fields = {field.name: field for field in _fields(kinds[name])} if name in kinds else {}
    assert column in fields, f"say in docs/generator/meanings.py what {name}.{column} is"
    return _meaning(kinds[name], fields[column])


def _type(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.UnionType):
        return " or ".join(
            _type(one) for one in kind.types if not isinstance(one, inspect.NoneType)
        )
    return _NAMES[type(kind)]


_NAMES: Final = {
    inspect.StrType: "text",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
}


def _default(field: inspect.Field) -> str:
    if field.required:
        return "never"
    return "unset" if field.default is None else str(field.default)
