"""The simulator's command: tables for people, JSON for programs, and a page that stands alone."""

import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.flow_picture import BARS_MAX, HEIGHT, picture_of
from api.simulate import tell_stories
from docstore.rebalancing import Fixed, Join, Node, Plan, described, first_placement, plan

NAMES = ["fixed", "dynamic", "per-node", "hash mod N"]


def run(*words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["simulate", *words])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def told(*words: str) -> Any:
    return orjson.loads(run(*words, "--json").stdout)


class Reader(HTMLParser):
    """Collects elements, and fails on one that is not closed where it must be."""

    VOID = frozenset({"meta", "input", "link", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def read_page(path: Path, *words: str) -> Reader:
    run(*words, "--html", str(path))
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def a_join(nodes: int) -> Plan:
    cluster = described(nodes, 20 * nodes)
    return plan(Fixed(), cluster, first_placement(Fixed(), cluster), Join(Node("new")))


def test_people_see_a_table_of_strategies_that_fits_and_the_stories() -> None:
    shown = run("--replicas", "1").stdout
    for name in NAMES:
        assert f"\n{name} " in shown
    assert "10 nodes, 1,000 partitions, 1 copy of each, 1.0 TB in all" in shown
    assert "12 of 12" in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown


def test_programs_get_the_numbers_of_every_plan() -> None:
    answer = told("--replicas", "1", "-e", "join", "-e", "fail:node-3", "-e", "slow:node-1")
    assert [step["event"] for step in answer["steps"]] == [
        "node-11 joins",
        "node-3 fails",
        "node-1 is slow",
    ]
    joined = {made["strategy"]: made for made in answer["steps"][0]["plans"]}
    assert list(joined) == NAMES
    assert joined["fixed"]["fraction_moved"] <= 1.05 / 11
    assert joined["hash mod N"]["fraction_moved"] > 0.85
    assert [made["moves"] for made in answer["steps"][2]["plans"]] == [0] * 4
    assert answer["steps"][1]["plans"][0]["lost"] > 0
    assert [len(story["given_up"]) for story in answer["stories"]] == [12, 0, 1]
    assert told("--replicas", "1", "-e", "join")["steps"] == answer["steps"][:1]


def test_every_move_is_told_when_asked_for() -> None:
    (made,) = told("--strategy", "fixed", "--moves")["steps"][0]["plans"]
    assert len(made["move_list"]) == made["moves"]
    assert sum(move["bytes"] for move in made["move_list"]) == made["bytes_moved"]
    assert {move["target"] for move in made["move_list"]} == {"node-11"}


def test_the_page_is_whole_and_asks_for_nothing(tmp_path: Path) -> None:
    page = read_page(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|@import|<script|<link|src=", text)
    assert page.all("html") == [{"lang": "en"}]
    assert "prefers-color-scheme: dark" in text
    assert "prefers-reduced-motion" in text


def test_the_page_draws_every_strategy_and_names_every_picture(tmp_path: Path) -> None:
    page = read_page(tmp_path / "page.html", "--nodes", "5", "--partitions", "100")
    pictures = [each for each in page.all("svg") if each.get("role") == "img"]
    assert len(pictures) == 4 + 3
    assert all(each["aria-label"] for each in pictures)
    assert all(each.get("aria-hidden") or each.get("role") for each in page.all("svg"))
    kinds = Counter(each.get("class") for each in page.all("path"))
    assert kinds["moved"] > 4
    assert kinds["stay"] >= 20
    headings = [tag for tag, _ in page.seen if tag in ("h1", "h2")]
    assert headings == ["h1", "h2", "h2"]
    ids = [each["id"] for _, each in page.seen if "id" in each]
    assert len(ids) == len(set(ids))
    assert all(name in page.text for name in NAMES)


def test_the_stories_say_on_which_cluster_they_are_told() -> None:
    assert "not a dead node (an example of 12 nodes)" in run("--nodes", "10").stdout


def test_the_page_says_in_words_what_a_slow_node_means(tmp_path: Path) -> None:
    page = read_page(tmp_path / "page.html", "-e", "slow:node-2", "-e", "grow:2")
    said = "".join(page.text)
    assert "Nothing moves: a slow node is not a dead node." in said
    assert "12 of 12 nodes given up" in said


def test_the_bands_of_a_picture_fill_its_bars() -> None:
    picture = picture_of(a_join(6))
    assert [bar.kind for bar in picture.right] == ["kept"] * 6 + ["new"]
    moved = [band for band in picture.bands if band.is_moved]
    assert len(moved) == 6
    assert all(band.line for band in moved)
    for side in (picture.left, picture.right):
        drawn = [bar for bar in side if bar.height]
        assert all(a.y + a.height < b.y for a, b in pairwise(drawn))
        assert drawn[-1].y + drawn[-1].height <= HEIGHT
    heights = [sum(bar.height for bar in side) for side in (picture.left, picture.right)]
    assert heights[0] == pytest.approx(heights[1], abs=0.1)


def test_many_nodes_are_drawn_in_groups_but_for_the_new_one() -> None:
    picture = picture_of(a_join(100))
    assert len(picture.right) == BARS_MAX
    assert picture.right[0].name == "node-1…6"
    assert (picture.right[-1].name, picture.right[-1].kind) == ("new", "new")


def test_stories_are_told_alike_every_time() -> None:
    assert tell_stories() == tell_stories()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--nodes", "0"), "nodes"),
        (("--partitions", "1000000"), "partitions"),
        (("--nodes", "3", "--replicas", "4"), "cannot stay apart"),
        (("--zones", "2"), "2 zones"),
        (("--weights", "1,x"), "--weights"),
        (("--weights", "nan"), "weight"),
        (("--weights", "-1"), "weight"),
        (("--size", "much"), "--size"),
        (("--size", "999999999PB"), "bytes"),
        (("--spread", "nan"), "spread"),
        (("--by", "weight"), "level by"),
        (("--event", "fly"), "no event"),
        (("--event", "fail"), "no event"),
        (("--event", "fail:node-99"), "no node"),
        (("--event", "grow:x"), "no number"),
        (("--event", "join:0"), "weight"),
        (("--strategy", "random"), "no strategy"),
    ],
)
def test_a_wrong_request_gets_one_line_and_a_hint(words: tuple[str, ...], said: str) -> None:
    error, hint = run(*words, code=2).stderr.splitlines()
    assert error.startswith("error: ")
    assert said in error
    assert hint.startswith("hint: ")
    assert orjson.loads(run(*words, "--json", code=2).stderr)["code"] == "invalid-cluster"


def test_fractions_of_nodes_are_refused() -> None:
    run("--nodes", "1.5", code=2)


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    run("--html", str(tmp_path / "none" / "page.html"), code=5)
    assert list(tmp_path.iterdir()) == []
