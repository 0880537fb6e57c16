"""What is done and said where an index is found damaged, which is filled again, or gone.

Absent: damage of shards, which nothing makes good; it is raised.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from docstore import keys
from docstore.catalog import Definition
from docstore.global_index.checking import check
from docstore.global_index.live_index import LiveIndex
from docstore.types import Violation
from indexing.errors import Closed, Corruption, Unavailable


@contextmanager
def healed(index: LiveIndex) -> Iterator[None]:
    """Empty an index that the body finds damaged, and go on behind it."""
    try:
        yield
    except Corruption as error:
        if not index.refill(error):
            raise


@contextmanager
def noticed(index: LiveIndex) -> Iterator[None]:
    """Empty an index that the body finds damaged, and say so."""
    try:
        yield
    except Corruption as error:
        index.refill(error)
        raise


@contextmanager
def asked(index: LiveIndex, of_now: Callable[[str], LiveIndex]) -> Iterator[None]:
    """Tell who asks an index what became of it meanwhile; `of_now` raises where there is none.

    Raises Unavailable where asking again helps.
    """
    name = index.definition.name
    try:
        yield
    except Closed as error:
        of_now(name)
        raise Unavailable(
            f"the index {name!r} was renamed, or made anew, while it was asked",
            hint="ask again",
            retryable=True,
        ) from error
    except Corruption as error:
        if not index.refill(error):
            raise
        raise Unavailable(
            f"the index {name!r} was damaged and is being filled again: {error.message}",
            hint="search without it, or ask again later",
            retryable=True,
        ) from error


def bring_up(
    indexes: Sequence[LiveIndex],
    ends: Mapping[int, int],
    settle: Callable[[LiveIndex], None],
    follow: Callable[[Mapping[int, int], Sequence[LiveIndex]], None],
) -> None:
    """Fill, compare and write indexes up to a seq of every shard, in the calling thread."""
    numbers = tuple(ends)
    for index in indexes:
        with noticed(index):
            while (state := index.state(numbers)) != "ready":
                if state == "comparing":
                    settle(index)
                else:
                    index.fill(numbers)
    follow(ends, indexes)
    for index in indexes:
        with noticed(index):
            index.digest(ends)
            index.flush(is_last=True)


def violations(
    index: LiveIndex,
    definition: Definition,
    numbers: Sequence[int],
    catch_up: Callable[[LiveIndex], None],
) -> Iterator[Violation]:
    """Every divergence of an index; one that is damaged is reported as that, and filled again."""
    collection, name = definition.name, index.definition.name
    try:
        with noticed(index):
            catch_up(index)
            for rule, detail, shard, key in check(index, numbers):
                shown = keys.decode(definition.key, key)
                yield Violation(collection, shard, rule, f"index {name!r}: {detail}", shown)
    except Corruption as error:
        yield Violation(collection, None, error.code, f"index {name!r}: {error}")
