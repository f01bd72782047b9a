"""Generated `where` texts, over HTTP: right answers to right texts, and no surprise from any text."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from where_texts import Said, conditions, spoiled
from x3_client import X3Client, diagnosis

if t.TYPE_CHECKING:
    import requests
    from x3_control import Record, X3Control

SUPPLIER = "BPSUPPLIER"
SLOW_SECONDS = 10  # far more than any answer takes, far less than a hang
FIXED = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# The only reasons for which the real one is known, or taken, to answer 500.
LEGAL_500 = re.compile(
    r"Property \S+ does not exist|Function \S+ does not exist|Evaluation of where failed"
    r"|.+ needs (text|number|date|datetime|time|condition) values|\S+ does not take \(|\S+ takes nothing"
    r"|\S+ cannot compare conditions"
)
VOCABULARY = """
CUR OSTAUZAMT UPDDATTIM UPDDAT NOPE eq ge and or not between in like mul div mod + - ( ) , . ' " @ [ ] 1 1.5 0
'EUR' @2025-01-01@ @2025-01-01T00:00:00Z@ [20250101] left( year( pow( lpad( replace( currentDate() ?? é
"""
WORDS = st.sampled_from(VOCABULARY.split())


@pytest.fixture(scope="module")
def suppliers(truth: X3Control) -> list[Record]:
    return truth.rows(SUPPLIER)


def check(answer: requests.Response) -> None:
    assert answer.elapsed.total_seconds() < SLOW_SECONDS
    assert answer.headers["Content-Type"].startswith("application/json")
    if answer.status_code == 200:
        assert "$resources" in answer.json()
    elif answer.status_code == 500:
        assert LEGAL_500.match(diagnosis(answer)), diagnosis(answer)
    else:
        assert answer.status_code == 400
        assert answer.json()["$diagnoses"][0]["$sdataCode"] == "BadWhereSyntax"


@settings(FIXED, max_examples=200)
@given(said=conditions())
def test_generated_conditions_find_what_they_say(x3: X3Client, suppliers: list[Record], said: Said) -> None:
    found = [row["BPSNUM"] for row in x3.rows(SUPPLIER, where=said.text, count="1000")]
    assert found == [row["BPSNUM"] for row in suppliers if said.value(row)]


@settings(FIXED, max_examples=200)
@given(text=spoiled())
def test_no_spoiled_condition_breaks_the_server(x3: X3Client, text: str) -> None:
    check(x3.rest(SUPPLIER, where=text, count="1"))


@settings(FIXED, max_examples=150)
@given(words=st.lists(WORDS, min_size=1, max_size=12))
def test_no_list_of_words_breaks_the_server(x3: X3Client, words: list[str]) -> None:
    check(x3.rest(SUPPLIER, where=" ".join(words), count="1"))


@settings(FIXED, max_examples=50)
@given(text=st.text(min_size=1, max_size=40))
def test_no_text_at_all_breaks_the_server(x3: X3Client, text: str) -> None:
    check(x3.rest(SUPPLIER, where=text, count="1"))
