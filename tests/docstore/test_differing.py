"""What differs between two schemas is told part by part, and in bounded words."""

from docstore.differing import SHOWN, said, schema_differences
from indexing.schema import Schema


def of(fields: object, **more: object) -> Schema:
    return Schema.from_json({"fields": fields, **more})


def test_the_order_of_fields_is_no_difference() -> None:
    inner = {"type": "object", "fields": {"x": "int", "y": {"type": "text", "list": True}}}
    turned = {"type": "object", "fields": dict(reversed(inner["fields"].items()))}  # type: ignore[attr-defined]  # a dict of dicts
    assert schema_differences(of({"a": "int", "b": inner}), of({"b": turned, "a": "int"})) == {}


def test_every_property_of_a_field_is_a_difference() -> None:
    plain = {"type": "text"}
    for more in ({"analyzer": "english"}, {"list": True}, {"required": True}):
        made, given = of({"t": plain}), of({"t": {**plain, **more}})
        assert list(schema_differences(made, given)) == ["fields.t"]
        assert made != given


def test_nested_fields_and_analyzers_are_named() -> None:
    mine = {"tokenizer": "whitespace", "filters": ["lowercase"]}
    made = of({"o": {"type": "object", "fields": {"x": "int"}}}, analyzers={"mine": mine})
    given = of({"o": {"type": "object", "fields": {"x": "float"}}})
    assert list(schema_differences(made, given)) == ["fields.o.x", "analyzers.mine"]


def test_long_lists_are_cut_in_the_message_only() -> None:
    differences = schema_differences(Schema(), of({f"f{n}": "int" for n in range(40)}))
    assert len(differences) == 41  # the fields, and strict instead of index
    assert said(differences).count(";") == SHOWN
    assert said(differences).endswith(f"and {41 - SHOWN} more")
