"""Which searches are parted, and what a run over the essential matches promises."""

import random
from pathlib import Path

import pytest

from indexing.local_index import View
from indexing.passes import Pass, Run, unsure
from indexing.query import Match, Query
from indexing.schema import Schema
from indexing.search import Searches
from tests.indexing.built_index import build

DOCUMENTS = 4_000
SCHEMA = Schema.from_json({"fields": {"text": "text"}})


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> View:
    chance = random.Random(11)
    documents = []
    for _ in range(DOCUMENTS):
        words = ["common"] * chance.choice((0, 1, 1, 2)) + ["other"] * chance.randrange(9)
        words += ["often"] * (chance.random() < 0.5) + ["seldom"] * (chance.random() < 0.05)
        chance.shuffle(words)
        documents.append({"text": " ".join(words)})
    directory: Path = tmp_path_factory.mktemp("essential")
    return build(directory / "index", SCHEMA, documents).view()


def _pass_of(view: View, query: Query) -> Pass:
    ((only,),) = Searches(query, {0: view}, str).ready(None).passes.values()
    return only


def _whole(by: Pass, view: View) -> Run:
    run = Run(view, Pass(by.query, None, True, factor=by.factor))
    run.find(DOCUMENTS)
    return run


def test_a_search_is_parted_at_a_word_that_outweighs_the_others(view: View) -> None:
    assert _pass_of(view, Match("text", "common seldom")).essential is not None
    assert _pass_of(view, Match("text", "common often")).essential is None
    assert _pass_of(view, Match("text", "common seldom", "and")).essential is None
    assert _pass_of(view, Match("text", "common")).essential is None


def test_a_run_has_all_that_scores_above_its_bound_and_the_total_of_all(view: View) -> None:
    by = _pass_of(view, Match("text", "common seldom"))
    run, whole = Run(view, by), _whole(by, view)
    run.find(DOCUMENTS)
    above = [entry for entry in whole.entries if entry[0] > run.bound]
    assert 50 < len(above) < 400
    assert sorted(run.entries) == sorted(above)
    assert run.total == whole.total
    assert not run.goes_on


def test_a_run_is_widened_when_the_page_goes_below_its_bound(view: View) -> None:
    by = _pass_of(view, Match("text", "common seldom"))
    run, whole = Run(view, by), _whole(by, view)
    run.find(20)
    assert unsure([run], 20) == []
    assert run.values(0, 20) == whole.values(0, 20)
    run.find(1_000)
    assert unsure([run], 1_000) == [run]
    run.widen(1_000)
    assert run.values(0, 1_000) == whole.values(0, 1_000)
    assert run.goes_on


def test_a_tie_at_the_end_is_looked_into_as_far_as_it_goes(view: View) -> None:
    by = _pass_of(view, Match("text", "common seldom"))
    run, whole = Run(view, by), _whole(by, view)
    run.find(1)
    while run.goes_on:
        run.look_further(run.values(0, DOCUMENTS)[-1], 1)
    above = [entry for entry in whole.entries if entry[0] > run.bound]
    assert sorted(run.entries) == sorted(above)
