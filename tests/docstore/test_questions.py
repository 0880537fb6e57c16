"""Asking again: parsed, planned and resolved once; the answer is always that of now."""

import threading
from pathlib import Path
from typing import Any

import pytest

from docstore import Collection, InvalidQuery, Key, Store
from docstore.queries.questions import QUESTION_BYTES_MAX, QUESTIONS_MAX, Questions

Cars = Collection[dict[str, Any]]


@pytest.fixture
def cars(tmp_path: Path) -> Any:
    with Store.open(tmp_path / "data") as store:
        yield store.create_collection("cars", partitions=3)


def parsed(*question: Any) -> list[Any]:
    return list(question)


def test_the_same_question_is_the_same_object() -> None:
    questions = Questions()
    assert questions.parsed(("ford", {"a": [1]}), parsed) is questions.parsed(
        ("ford", {"a": [1]}), parsed
    )


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), ("1", 1), (0.0, -0.0), ("", None)])
def test_equal_values_of_other_types_are_other_questions(one: Any, other: Any) -> None:
    questions = Questions()
    assert type(questions.parsed((one,), parsed)[0]) is type(one)
    assert repr(questions.parsed((other,), parsed)) == repr([other])


def test_what_is_not_plain_is_parsed_each_time_as_it_is() -> None:
    questions, own = Questions(), object()
    first = questions.parsed((own,), parsed)
    assert first == [own]
    assert questions.parsed((own,), parsed) is not first


def test_long_questions_are_not_remembered_and_many_do_not_grow_the_memory() -> None:
    questions, long = Questions(), "x" * QUESTION_BYTES_MAX
    assert questions.parsed((long,), parsed) is not questions.parsed((long,), parsed)
    first = questions.parsed((0,), parsed)
    for number in range(1, QUESTIONS_MAX + 1):
        questions.parsed((number,), parsed)
    assert questions.parsed((0,), parsed) is not first


def test_a_question_asked_again_sees_what_was_written_since(cars: Cars) -> None:
    for number in range(20):
        assert cars.search("ford", filter={"color": "red"}, sort="price").total == number
        cars.put({"name": "Ford", "color": "red", "price": number}, str(number))
        cars.put({"name": "Ford", "color": "blue", "price": number}, f"blue {number}")
    assert cars.count(q="ford") == 40
    cars.delete("0")
    found = cars.search("ford", filter={"color": "red"}, sort="price")
    assert [hit.key for hit in found.hits] == [str(number) for number in range(1, 11)]


def test_scores_follow_the_documents(cars: Cars) -> None:
    cars.put({"name": "red ford"}, "a")
    first = cars.search("red").hits[0].score
    cars.put_many([{"name": "blue ford", "id": str(number)} for number in range(50)])
    again, anew = cars.search("red").hits[0].score, cars.search(" red").hits[0].score
    assert again == anew != first


def test_a_caller_who_changes_what_he_asked_with_asks_something_else(cars: Cars) -> None:
    cars.put_many([{"id": "a", "n": 1}, {"id": "b", "n": 2}])
    wanted = [1]
    asked = {"n": {"in": wanted}}
    assert cars.search(filter=asked).total == 1
    wanted.append(2)
    assert cars.search(filter=asked).total == 2
    wanted.clear()
    wanted.append(2)
    assert [hit.key for hit in cars.search(filter=asked).hits] == ["b"]


def test_a_wrong_question_is_refused_each_time(cars: Cars) -> None:
    for _ in range(2):
        with pytest.raises(InvalidQuery, match="nothing"):
            cars.search(query={"nothing": {"n": 1}})


def test_a_value_leads_to_whichever_typed_keys_there_are_now(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        things = store.create_collection("things", key=Key("n", "id"), partitions=8)
        things.put({"n": 7, "id": "a"})
        assert things.search(filter={"n": 7}).total == 1
        things.put({"n": 7.0, "id": "b"})
        assert things.search(filter={"n": 7}).total == 2


def test_a_plan_kept_for_an_empty_store_is_priced_anew_when_it_has_grown(cars: Cars) -> None:
    cars.search("ford")
    before = cars.search("ford").plan.chosen.price
    cars.put_many([{"name": "ford", "id": str(number)} for number in range(2_000)])
    cars.search("ford")
    assert cars.search("ford").plan.chosen.price > before


def test_many_threads_may_ask_the_same(cars: Cars) -> None:
    wrong: list[int] = []

    def ask() -> None:
        for _ in range(50):
            before = acknowledged[0]
            total = cars.search("ford").total
            if total < before:
                wrong.append(total)

    acknowledged = [0]
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(100):
        cars.put({"name": "ford"}, str(number))
        acknowledged[0] = number + 1
    for thread in threads:
        thread.join()
    assert not wrong
    assert cars.search("ford").total == 100


def test_a_schema_with_the_same_words_is_another_collection(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        first = store.create_collection("one", {"fields": {"id": "keyword", "n": "int"}})
        first.put({"n": 1}, "a")
        assert first.search(filter={"n": 1}).total == 1
        store.drop_collection("one")
        again = store.create_collection("one", {"fields": {"id": "keyword", "n": "keyword"}})
        again.put({"n": "1"}, "a")
        assert again.search(filter={"n": "1"}).total == 1
