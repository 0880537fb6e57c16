"""Histograms of what global indexes found: drawn from their rows, or from documents read.

Invariant: equal to what the local indexes draw. Only fields with one number or date to a document
are drawn here; where floats would not hold the values exactly, None says so and the local indexes
draw.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from docstore.global_index.candidates import Candidates
from docstore.queries.field_readers import COLUMNS, FieldReader, Readers, Untestable
from indexing.counts import Histogram
from indexing.histograms import HistogramAsked, chosen_edges, drawn
from indexing.layout import Column
from indexing.schema import Kind

_DRAWN = (Kind.INT, Kind.FLOAT, Kind.DATETIME)
_EXACT_MAX = 2**53


def drawable(readers: Readers, asked: HistogramAsked) -> FieldReader | None:
    """How a histogram's field is read, or None when only the local indexes draw it."""
    try:
        reader = readers.of(asked.path)
    except Untestable:
        return None
    return reader if reader.is_single and reader.kind in _DRAWN else None


def drawn_rows(found: Candidates, reader: FieldReader, asked: HistogramAsked) -> Histogram | None:
    """The histogram of a field that an index carries."""
    numbers = found.numbers(asked.path)
    return None if numbers is None else _drawn(numbers, reader, asked)


def drawn_documents(
    documents: Iterable[Any], reader: FieldReader, asked: HistogramAsked
) -> Histogram | None:
    """The histogram of a field of some documents."""
    held = [value for document in documents for value in reader.held(document)]
    if any(abs(value) >= _EXACT_MAX for value in held):
        return None
    return _drawn(np.array(held, np.float64), reader, asked)


def _drawn(
    numbers: npt.NDArray[np.float64], reader: FieldReader, asked: HistogramAsked
) -> Histogram:
    """Raises InvalidQuery as the local indexes do: what was asked does not fit the values."""
    column = Column("", reader.path, COLUMNS[reader.kind])
    extremes = [{"min": float(numbers.min()), "max": float(numbers.max())}] if len(numbers) else []
    edges = chosen_edges(asked, [column], extremes)
    if edges is None:
        return Histogram(None, ())
    bounds = np.array(edges.at, np.float64)
    # Bucket n holds bounds[n - 1] <= value < bounds[n].
    counts = np.bincount(np.searchsorted(bounds, numbers, "right"), minlength=len(bounds) + 1)
    filled = {place: int(counts[place + 1]) for place, _ in enumerate(pairwise(edges.at))}
    return drawn(edges, filled)
