"""Traffic is noted cheaply and told as rates that age."""

import threading

import pytest

from docstore.hot_keys.traffic import BATCH, HALF_LIFE_SECONDS, Stream


class Clock:
    """A clock that stands until it is told to go."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _first_letter(key: bytes) -> bytes:
    return key[:1]


def test_a_few_requests_are_counted_one_by_one() -> None:
    clock = Clock()
    stream = Stream(_first_letter, clock)
    for key in (b"a1", b"a2", b"b1"):
        stream.note(key)
    clock.now = 3.0
    loads = stream.loads()
    assert loads.by_key[b"a"].per_second == pytest.approx(2 / 3, rel=0.05)
    assert loads.by_key[b"a"].share == pytest.approx(2 / 3)
    assert loads.error_per_second == 0


def test_many_requests_are_told_within_the_error_of_the_sample() -> None:
    clock = Clock()
    stream = Stream(_first_letter, clock)
    for number in range(40_000):
        stream.note(b"h" if number % 4 == 0 else b"%d" % (number % 7))
    clock.now = 10.0
    loads = stream.loads()
    # A hundred thousandth of all runs is further off: 2,500 of the 10,000 are drawn.
    assert loads.by_key[b"h"].share == pytest.approx(0.25, abs=0.025)
    assert loads.per_second == pytest.approx(4_000, rel=0.1)


def test_a_rate_falls_by_half_in_a_half_life_without_requests() -> None:
    clock = Clock()
    stream = Stream(_first_letter, clock)
    for second in range(600):
        clock.now = float(second)
        stream.note_all([b"a"] * 50)
        stream.loads()
    before = stream.loads().by_key[b"a"].per_second
    assert before == pytest.approx(50, rel=0.05)
    clock.now += HALF_LIFE_SECONDS
    after = stream.loads().by_key[b"a"].per_second
    assert after == pytest.approx(before / 2, rel=0.05)


def test_nothing_is_left_after_days_without_requests() -> None:
    clock = Clock()
    stream = Stream(_first_letter, clock)
    stream.note_all([b"a"] * 5)
    stream.loads()
    clock.now = 1e6
    assert stream.loads().by_key == {}


def test_threads_together_lose_nothing_that_matters() -> None:
    clock = Clock()
    stream = Stream(_first_letter, clock)

    def ask() -> None:
        for _ in range(20 * BATCH):
            stream.note(b"a")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now = 1.0
    assert stream.loads().per_second == pytest.approx(80 * BATCH, rel=0.1)


def test_nothing_noted_is_nothing_told() -> None:
    loads = Stream(_first_letter, Clock()).loads()
    assert loads.by_key == {}
    assert loads.per_second == 0
