"""Values arrive exactly as received or not at all, whatever an account, a tap or a value's size does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_snowflake_audit.session import connect
from target_world import LINE_SCHEMA, lines

if TYPE_CHECKING:
    from target_world import World


def test_a_small_number_with_an_exponent_is_a_dead_letter_not_zero(world: World) -> None:
    properties = {**LINE_SCHEMA["properties"], "rate": {"type": ["number", "null"], "multipleOf": 0.0001}}
    text = lines(
        [world.schema_message({**LINE_SCHEMA, "properties": properties}), world.line("A", 1, rate=0)]
    )
    world.run_text(text.replace('"rate": 0', '"rate": 1.2E-7'))
    assert world.rows() == []
    assert [letter["REASON"] for letter in world.letters()] == ["too_many_decimals"]


def test_formats_of_the_account_do_not_matter(world: World) -> None:
    """Session parameters that decide how text is read and how names and MERGE behave are set at login."""
    session = connect(world.settings())
    [number] = session.execute("SELECT CURRENT_SESSION()", "test").rows[0]
    [found] = [one for one in world.control.sessions() if str(one["id"]) == str(number)]
    session.close()
    parameters = found["parameters"]
    assert {parameters[f"{kind}_INPUT_FORMAT"] for kind in ("DATE", "TIME", "TIMESTAMP")} == {"AUTO"}
    assert parameters["DATE_OUTPUT_FORMAT"] == "YYYY-MM-DD"
    assert parameters["TIME_OUTPUT_FORMAT"] == "HH24:MI:SS.FF9"
    assert parameters["TIMESTAMP_NTZ_OUTPUT_FORMAT"] == "YYYY-MM-DD HH24:MI:SS.FF9"
    assert parameters["TIMEZONE"] == "UTC"
    assert str(parameters["QUOTED_IDENTIFIERS_IGNORE_CASE"]).lower() == "false"
    assert parameters["ERROR_ON_NONDETERMINISTIC_MERGE"] is True
