"""A process that loads documents and says which are acknowledged, made to be killed.

`python -m tests.torture.load DATA PARTITIONS` puts numbered documents in batches and one by one,
and prints the last acknowledged number after each.
"""

import sys

from docstore import NotFound, Store

BATCH = 150


def main(data: str, partitions: int) -> None:
    """Load until killed."""
    with Store.open(data) as store:
        try:
            cars = store.collection("cars")
        except NotFound:
            cars = store.create_collection("cars", partitions=partitions)
        number = cars.count()
        while True:
            documents = [document_of(each) for each in range(number, number + BATCH)]
            assert not cars.put_many(documents).errors
            number += BATCH
            cars.put(document_of(number))
            number += 1
            if number % 5 == 0:
                cars.search("word3", limit=1)
            print(number, flush=True)


def document_of(number: int) -> dict[str, object]:
    """The document of a number, which a test can make again."""
    return {"id": f"{number:08d}", "n": number, "text": f"word{number % 7} common", "half": 0.5}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
