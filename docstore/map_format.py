"""A partition map as JSON: the form in collection.json. These names never change meaning.

Bounds are whole numbers (tokens) or hexadecimal (keys), null where there is none. What a map never
had is left out, so a map that never changed is written as it was before maps could.
"""

from typing import Any

from docstore.partitioning import Ancestor, Partition, PartitionMap, Point, Reshape, Salt
from indexing.errors import Corruption, InvalidSchema


def map_to_json(of: PartitionMap) -> dict[str, Any]:
    """The map as JSON-ready data."""
    form: dict[str, Any] = {
        "partitioning": of.scheme,
        "epoch": of.epoch,
        "partitions": [_partition_to_json(each) for each in of.partitions],
    }
    if is_plain(of):
        return form
    history = [
        {
            "epoch": each.epoch,
            "at": each.at,
            "from": [{"number": a.number, "epoch": a.epoch, "last": a.last} for a in each.sources],
            "into": list(each.targets),
            **({"why": each.why} if each.why else {}),
        }
        for each in of.history
    ]
    salts = [{"key": each.key.hex(), "fan": each.fan} for each in of.salts]
    return {**form, "next_number": of.next_number, "history": history, "salts": salts}


def is_plain(of: PartitionMap) -> bool:
    """Whether a map is as it was made: without salts, and without partitions that came later."""
    return not (of.history or of.salts) and of.next_number == max(of.numbers) + 1


def map_from_json(data: Any) -> PartitionMap:
    """Read `map_to_json` back; raises Corruption on anything that is not a valid map."""
    match data:
        case {
            "partitioning": "hash" | "range" as scheme,
            "epoch": epoch,
            "partitions": [*entries],
        }:
            try:
                return PartitionMap(
                    scheme,
                    epoch,
                    tuple(_partition_from_json(entry, scheme) for entry in entries),
                    data.get("next_number", -1),
                    tuple(map(_reshape_from_json, data.get("history", ()))),
                    tuple(map(_salt_from_json, data.get("salts", ()))),
                )
            except InvalidSchema as error:
                raise _broken(error.message) from error
            except (KeyError, TypeError, ValueError) as error:
                raise _broken("its history or its salts are not of this format") from error
    raise _broken("not a partition map of this format")


def _partition_to_json(each: Partition) -> dict[str, Any]:
    form = {"number": each.number, "lower": _shown(each.lower), "upper": _shown(each.upper)}
    return form if each.epoch == 1 else {**form, "epoch": each.epoch}


def _shown(bound: Point) -> int | str | None:
    return bound.hex() if isinstance(bound, bytes) else bound


def _partition_from_json(entry: Any, scheme: str) -> Partition:
    match entry:
        case {"number": number, "lower": lower, "upper": upper}:
            if scheme == "range":
                lower, upper = _bytes_of(lower), None if upper is None else _bytes_of(upper)
            return Partition(number, lower, upper, entry.get("epoch", 1))
    raise _broken("a partition is not {number, lower, upper}")


def _bytes_of(bound: Any) -> bytes:
    try:
        return bytes.fromhex(bound)
    except (TypeError, ValueError) as error:
        raise _broken("a bound is not hexadecimal") from error


def _reshape_from_json(entry: Any) -> Reshape:
    sources = (Ancestor(int(a["number"]), int(a["epoch"]), int(a["last"])) for a in entry["from"])
    targets = tuple(map(int, entry["into"]))
    why = str(entry.get("why", ""))
    return Reshape(int(entry["epoch"]), int(entry["at"]), tuple(sources), targets, why)


def _salt_from_json(entry: Any) -> Salt:
    return Salt(bytes.fromhex(entry["key"]), entry["fan"])


def _broken(why: str) -> Corruption:
    return Corruption(
        f"a stored partition map cannot be read: {why}",
        hint="restore collection.json from a copy, or open the store with a newer version",
    )
