"""Where the documents of a salted partition key lie: pure functions of token, key and fan.

Invariants:
1. A document's salt is a function of its whole key and the fan, so a read by key and a conditional
   write know its one place without asking anyone.
2. Fans are powers of two, and a larger one only divides what a smaller one held together: a
   document stays or goes to a place that is new.
3. Salt 0 is the key's own place, where all its documents lie without a salt.
4. The places of a key are evenly spaced over the tokens, so a fan of n over n equal partitions
   gives each of them one place. Drawn places, as a hash of key and salt would give, would meet: 8
   of them on 8 partitions leave 3 of these without any.
"""

import mmh3

FAN_MAX = 1024
"""The most places one partition key may be spread over: a scan of it asks all of them."""
_SEED = 0x5A17  # of the hash that gives a document its salt; must not change
_TOKEN_BITS = 32


def salt_of(key: bytes, fan: int) -> int:
    """The salt of an encoded key, in [0, fan)."""
    return mmh3.hash(key, _SEED, signed=False) & (fan - 1)


def place_of(token: int, salt: int) -> int:
    """The token of one place of a partition key, whose own token is given."""
    return (token + _PLACES[salt]) % (1 << _TOKEN_BITS)


def places_of(token: int, fan: int) -> list[int]:
    """The tokens of all places, that of the key itself first."""
    return [place_of(token, salt) for salt in range(fan)]


def is_fan(value: object) -> bool:
    """Whether a value is a fan: a power of two up to FAN_MAX; 1 is no salting."""
    return type(value) is int and 1 <= value <= FAN_MAX and value & (value - 1) == 0


def _mirrored(salt: int) -> int:
    """The salt's bits in reverse: half way round, then a quarter, and so on; must not change."""
    return int(f"{salt:0{_TOKEN_BITS}b}"[::-1], 2)


_PLACES = tuple(map(_mirrored, range(FAN_MAX)))
