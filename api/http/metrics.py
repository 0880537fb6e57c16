"""What a server counts, in Prometheus's form: requests as they end, the store when it is asked.

Labels are bounded: routes are templates, never paths, and collections are those there are.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from docstore import Store
from docstore.global_index.offers import Offer

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_GROUPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

_GAUGES = {
    "documents": ("documents", "Documents of a shard"),
    "document_bytes": ("document_bytes", "Bytes of a shard's documents and log"),
    "index_bytes": ("index_bytes", "Bytes of a shard's local index"),
    "lag": ("index_lag_entries", "Acknowledged writes that are not indexed yet"),
    "log_entries": ("log_entries", "Entries a shard's log holds"),
}
_COUNTERS = {
    "commits": ("commits", "Durable commits of a shard"),
    "writes": ("committed_writes", "Writes those commits held"),
    "refreshes": ("refreshes", "Times a shard's index was brought up to its log"),
    "refresh_seconds": ("refresh_seconds", "Seconds that took"),
}
_INDEX_GAUGES: dict[str, tuple[str, str]] = {
    "lag": ("lag_entries", "Acknowledged writes that are not in a global index"),
    "lag_ms": ("lag_milliseconds", "Age of the oldest of them"),
    "overlay": ("overlay_documents", "Documents in a global index's memory, not yet in its files"),
    "documents": ("documents", "Documents in a global index"),
}

_VERIFICATION = {
    "verified": ("verified_documents", "Documents that were compared with the global indexes"),
    "divergent": ("divergent_documents", "Documents that a global index said otherwise of"),
    "rounds": ("verified_rounds", "Times that all documents were compared"),
}

# When each count began would be half of the page.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no types


class Metrics:
    """The counts of one server."""

    def __init__(self, store: Store) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "docstore_requests",
            "Requests that were answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "docstore_request_seconds",
            "Seconds from a request's head to its answer's end",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.group = Histogram(
            "docstore_write_group",
            "Single writes of concurrent requests that were committed together",
            buckets=_GROUPS,
            registry=self.registry,
        )
        answered = Counter(
            "docstore_searches",
            "Searches that were answered, by what is asked now or by an answer kept",
            ("answer",),
            registry=self.registry,
        )
        self.searched, self.kept = answered.labels("found"), answered.labels("kept")
        self.searches = Gauge(
            "docstore_open_searches", "Dear searches under way", registry=self.registry
        )
        self.streams = Gauge(
            "docstore_open_streams", "Streams of changes being read", registry=self.registry
        )
        self._ended: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self.registry.register(_StoreCollector(store))

    def ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        key = (method, route, status)
        counts = self._ended.get(key)
        if counts is None:
            # Looking labels up costs more than counting.
            counts = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(route),
            )
            self._ended[key] = counts
        counts[0].inc()
        counts[1].observe(seconds)

    def text(self) -> bytes:
        """Everything counted, in Prometheus's text form."""
        return generate_latest(self.registry)


class _StoreCollector(Collector):
    """Looks at every shard when it is asked, and opens none for it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not look at every shard."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One family per figure, one sample per shard."""
        found = self._store.of_each(lambda each: each.stats())
        for names, family in ((_GAUGES, GaugeMetricFamily), (_COUNTERS, CounterMetricFamily)):
            for figure, (name, text) in names.items():
                metric = family(f"docstore_{name}", text, labels=("collection", "partition"))
                for each in found:
                    for shard in each["partitions"]:
                        labels = (each["collection"], str(shard["partition"]))
                        metric.add_metric(labels, shard[figure])
                yield metric
        offers = self._store.of_each(
            lambda each: [(each.name, offer) for offer in each.indexes.offers()]
        )
        yield from _of_indexes([pair for pairs in offers for pair in pairs])
        yield from _of_verification(found)


def _of_verification(found: Iterable[dict[str, Any]]) -> Iterator[Metric]:
    """How many documents were compared with the global indexes, and how many differed."""
    for figure, (name, text) in _VERIFICATION.items():
        metric = CounterMetricFamily(f"docstore_{name}", text, labels=("collection",))
        for each in found:
            metric.add_metric((each["collection"],), each["verification"][figure])
        yield metric


def _of_indexes(offers: Iterable[tuple[str, Offer]]) -> Iterator[Metric]:
    """Where every global index stands, and its checkpoint in each shard's log."""
    for figure, (name, text) in _INDEX_GAUGES.items():
        metric = GaugeMetricFamily(
            f"docstore_global_index_{name}", text, labels=("collection", "index")
        )
        for collection, offer in offers:
            metric.add_metric((collection, offer.definition.name), getattr(offer, figure))
        yield metric
    metric = GaugeMetricFamily(
        "docstore_global_index_checkpoint",
        "The seq of a shard's log up to which a global index is in its files",
        labels=("collection", "index", "partition"),
    )
    for collection, offer in offers:
        for shard, seq in offer.checkpoints.items():
            metric.add_metric((collection, offer.definition.name, str(shard)), seq)
    yield metric
