"""What a planner may know of a global index: kept numbers, gathered without a scan or a wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docstore.global_index.ages import Ages
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.live_index import LiveIndex, State
from docstore.global_index.term_values import value_of_term
from docstore.global_index.wanted import Wanted
from indexing.errors import Closed, Corruption, DocstoreError


@dataclass(frozen=True)
class Offer:
    """An index as it is now. Only one whose state is "ready" answers.

    `lag` acknowledged entries are not in what `any` reads, the oldest since `lag_ms`; `overlay`
    documents are in memory and not yet on disk.
    """

    live: LiveIndex
    state: State
    documents: int
    postings: int
    terms: int
    lag: int
    lag_ms: float
    overlay: int
    error: str | None
    lacks: str | None = None
    """Which documents are not in it, so that it cannot answer, in words."""
    made_anew: LiveIndex | None = None
    """What is made to take its place, while it is."""

    @classmethod
    def now(
        cls,
        live: LiveIndex,
        numbers: Sequence[int],
        heads: Mapping[int, int],
        ages: Ages,
        failed: DocstoreError | None,
        made_anew: LiveIndex | None,
    ) -> "Offer":
        """An index beside the heads of its shards; `failed` is what keeping it raised last."""
        state, sizes, lag = live.state(numbers), live.files.sizes, live.place.lag(heads, ages)
        error = live.damage or live.files.trouble or failed
        lacks = live.lacks() if state == "ready" else None
        said = lacks if error is None else str(error)
        return cls(live, state, *sizes, *lag, live.overlay, said, lacks, made_anew)

    @property
    def definition(self) -> GlobalIndex:
        """What it is over and what it includes."""
        return self.live.definition

    @property
    def partitions(self) -> int:
        """How many index partitions it has."""
        return self.definition.partitions

    @property
    def checkpoints(self) -> dict[int, int]:
        """For each shard the seq up to which the index is on disk."""
        floors, digested = self.live.files.floors(), self.live.digested
        return {number: floors[number] for number in sorted(digested) if number in floors}

    def refusal(self, *, is_forced: bool) -> str | None:
        """Why it answers nothing now, whatever is asked; None when it may.

        One that nothing else may answer for says itself what it lacks, after the latest writes.
        """
        if self.state != "ready":
            return f"the index is {self.state}"
        return None if is_forced else self.lacks

    def covers(self, path: str) -> bool:
        """Whether its postings carry a field's values, to compare, count and sort them."""
        return self.live.extractor.covers(path)

    def frequency(self, wanted: Wanted) -> int:
        """Documents with a wanted term: exact for terms, an estimate for wide ranges."""
        try:
            return self.live.files.frequency(wanted)
        except Closed:
            return 0  # it was dropped meanwhile: whoever asks it is told
        except Corruption as error:
            self.live.refill(error)
            return 0  # the same

    def partitions_of(self, wanted: Wanted) -> tuple[int, ...]:
        """The index partitions that would be asked."""
        asked = [each.partitions(self.definition) for each in (wanted, *wanted.also)]
        return tuple(sorted(set().union(*asked)))

    def fan(self, wanted: Wanted) -> int:
        """The largest number of places over which the postings of a wanted term are spread."""
        terms = [term for each in (wanted, *wanted.also) for term in each.terms]
        return max((self.definition.fan_of(term) for term in terms), default=1)

    def to_json(self, numbers: Sequence[int]) -> dict[str, Any]:
        """The definition, where it stands, and how many of some shards are still to be read."""
        return {
            **self.definition.to_json(),
            "salts": [
                {"value": value_of_term(each.term), "fan": each.fan}
                for each in self.definition.salts
            ],
            "state": self.state,
            "documents": self.documents,
            "postings": self.postings,
            "terms": self.terms,
            "lag": self.lag,
            "lag_ms": round(self.lag_ms, 1),
            "overlay": self.overlay,
            "filling": sum(number not in self.live.digested for number in numbers),
            "error": self.error,
            "made_anew": None if self.made_anew is None else _progress(self.made_anew, numbers),
        }


def _progress(made: LiveIndex, numbers: Sequence[int]) -> dict[str, Any]:
    return {
        "state": made.state(numbers),
        "filling": sum(number not in made.digested for number in numbers),
        "documents": made.files.sizes[0],
    }
