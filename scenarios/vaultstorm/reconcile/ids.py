"""Which request ids one table has and another has not, in SQL."""


def only_in(table: str, other: str) -> str:
    """Give the query for the ids of a variant that are in a table and not in another.

    In order, each once. SQLite walks the indexes of both side by side (``MERGE (EXCEPT)``), which
    takes a quarter of the time of a search for every id.
    """
    # Without a LIMIT, the ORDER BY of a subquery may be left out, and the merge with it.
    return f"""
        SELECT id FROM {table} WHERE variant = :variant AND id NOT NULL
        EXCEPT SELECT id FROM {other} WHERE variant = :variant ORDER BY id LIMIT -1
        """
