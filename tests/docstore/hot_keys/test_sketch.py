"""The sketch keeps its promised error, whatever the stream, its batches and its decay."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from docstore.hot_keys.sketch import HeavyHitters

Step = list[tuple[bytes, float]] | float
"""A batch of keys with weights, or a factor of decay."""

_keys = st.integers(0, 60).map(lambda number: b"%d" % number)
_batches = st.lists(st.tuples(_keys, st.floats(0.5, 100.0)), max_size=40)
_streams = st.lists(_batches | st.floats(0.0, 1.0), max_size=30)


def _weights(batch: list[tuple[bytes, float]]) -> dict[bytes, float]:
    weights: Counter[bytes] = Counter()
    for key, weight in batch:
        weights[key] += weight  # type: ignore[assignment]  # a Counter of floats counts as well
    return dict(weights)


@given(_streams, st.integers(1, 20))
def test_every_count_is_at_most_the_truth_and_at_most_what_was_missed_below_it(
    stream: list[Step], size: int
) -> None:
    sketch = HeavyHitters(size)
    truth: dict[bytes, float] = {}
    for step in stream:
        if isinstance(step, float):
            sketch.decay(step)
            truth = {key: weight * step for key, weight in truth.items()}
        else:
            for key, weight in _weights(step).items():
                truth[key] = truth.get(key, 0.0) + weight
            sketch.add(_weights(step))
    slack = 1e-9 * (1 + sum(truth.values()))  # of floating point
    for key, weight in truth.items():
        assert sketch.count(key) <= weight + slack
        assert weight <= sketch.count(key) + sketch.missed + slack


@given(_streams, st.integers(1, 20))
def test_what_is_missed_is_at_most_an_even_share_of_all(stream: list[Step], size: int) -> None:
    sketch = HeavyHitters(size)
    for step in stream:
        if isinstance(step, float):
            sketch.decay(step)
        else:
            sketch.add(_weights(step))
    assert sketch.missed <= sketch.total / (size + 1) * (1 + 1e-9) + 1e-9


@given(_streams, st.integers(1, 20))
def test_there_are_never_more_counters_than_allowed(stream: list[Step], size: int) -> None:
    sketch = HeavyHitters(size)
    for step in stream:
        if not isinstance(step, float):
            sketch.add(_weights(step))
        assert len(sketch.heaviest(1_000)) <= size


def test_a_key_with_more_than_its_share_is_found_among_any_number_of_others() -> None:
    sketch = HeavyHitters(256)
    for batch in range(500):
        others = {b"other-%d-%d" % (batch, number): 1.0 for number in range(990)}
        sketch.add({**others, b"hot": 10.0})
    assert sketch.heaviest(1)[0][0] == b"hot"
    assert sketch.total == 500_000


def test_old_traffic_gives_way_to_new() -> None:
    sketch = HeavyHitters(8)
    sketch.add({b"yesterday": 1_000.0})
    for _ in range(20):
        sketch.decay(0.5)
        sketch.add({b"today": 10.0})
    assert [key for key, _ in sketch.heaviest(2)] == [b"today", b"yesterday"]
