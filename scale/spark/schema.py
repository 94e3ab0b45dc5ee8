"""The types of the report's tables, from the JSON Schema that the binary prints: every run has the same columns, whatever
it found."""

SCALARS = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}


def tables(document: dict) -> dict[str, str]:
    """Columns of every list of the report, as Spark writes types; each row also has the id of its run."""
    lists = {name: it for name, it in document["properties"].items() if it.get("type") == "array"}
    return {name: f"run string, {columns(it['items'], document['$defs'])}" for name, it in lists.items()}


def columns(schema: dict, defs: dict) -> str:
    return ", ".join(f"`{name}` {column(it, defs)}" for name, it in sorted(members(schema, defs).items()))


def members(schema: dict, defs: dict) -> dict[str, dict]:
    """The members of an object; where it has one of several forms, those of all. One that is a number in one form and
    text in another is text."""
    if "$ref" in schema:
        return members(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    found = dict(schema.get("properties", {}))
    for form in schema.get("oneOf", []):
        for name, it in members(form, defs).items():
            is_same = column(it, defs) == column(found.get(name, it), defs)
            found[name] = it if is_same else {"type": "string"}
    return found


def column(schema: dict, defs: dict) -> str:
    if "anyOf" in schema:
        # `null` needs no type: every column may be empty.
        return column(next(it for it in schema["anyOf"] if it.get("type") != "null"), defs)
    if inner := columns(schema, defs):
        return f"struct<{inner.replace('` ', '`: ')}>"
    kinds = schema.get("type", "string")
    kind = kinds if isinstance(kinds, str) else next(it for it in kinds if it != "null")
    if kind == "array":
        return f"array<{column(schema['items'], defs)}>"
    if kind == "object":
        return f"map<string, {column(schema.get('additionalProperties') or {}, defs)}>"
    return SCALARS[kind]
