"""Dropping a collection that is in use: it is gone whole, and its name is free again."""

import threading
from contextlib import suppress
from pathlib import Path

from docstore import Closed, NotFound, Store

KEYS = [f"k{number}" for number in range(20)]


def test_a_name_is_free_again_whoever_uses_the_old_collection(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        stopping = threading.Event()
        failures: list[Exception] = []

        def use(number: int) -> None:
            while not stopping.is_set():
                try:
                    with suppress(NotFound, Closed):
                        store.collection("cars").put({"id": KEYS[number]})
                        store.stats()
                except Exception as error:  # noqa: BLE001  whatever it is, it is a failure
                    failures.append(error)

        users = [threading.Thread(target=use, args=(number,)) for number in range(4)]
        for user in users:
            user.start()
        for _ in range(15):
            store.create_collection("cars", partitions=2)
            store.collection("cars").put({"id": "mine"})
            store.drop_collection("cars")
        store.create_collection("cars", partitions=2)
        stopping.set()
        for user in users:
            user.join()
        assert failures == []
        assert store.collection("cars").put_many({"id": key} for key in KEYS).errors == []
    with Store.open(tmp_path) as store:
        assert store.collection("cars").count() == len(KEYS)
        assert list(store.check()) == []
