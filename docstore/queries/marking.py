"""What a search marks in its hits: the words it was asked with, found again in each document."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from docstore.shards.records import parsed
from docstore.types import Hit
from indexing.highlight import Highlighter, parse_fields
from indexing.layout import Layout
from indexing.narrowing import Narrowed

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Marking:
    """Adds highlights to hits."""

    highlighter: Highlighter

    @classmethod
    def parse(cls, highlight: Any, layout: Layout, narrowed: Narrowed) -> "Marking | None":
        """What a caller passes as highlight; None when nothing is to be marked.

        The short filter narrows and is not marked. Raises InvalidQuery.
        """
        if highlight is None or highlight is False:
            return None
        return cls(Highlighter(layout, narrowed.scored, parse_fields(highlight)))

    def marked(self, hit: Hit[D], body: bytes) -> Hit[D]:
        """The hit with what was found in its stored document."""
        document: Mapping[str, Any] = parsed(body)
        return replace(hit, highlights=self.highlighter.highlights(document))
