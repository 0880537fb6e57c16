"""Which floats come through Tantivy's JSON reader as they are.

The reader (serde_json without its `float_roundtrip`) takes the digits as a whole number, makes that
a float, and multiplies it by a power of ten or divides it: two roundings, of which one float in ten
with all its digits comes out as its neighbour. A document with such a float goes to the index as
values, not as text, or an equal value would not find it.
"""

_SURELY = 16
"""Characters of at most 15 digits and a point, which one exact division makes a float of."""
_POWER_MAX = 308
_POWERS = tuple(float(f"1e{power}") for power in range(_POWER_MAX + 1))


def survives(number: float) -> bool:
    """Whether a finite number is read back from its JSON as the same; if in doubt, not."""
    text = repr(abs(number))
    if len(text) <= _SURELY and "e" not in text:
        return True
    digits, _, exponent = text.partition("e")
    whole, _, part = digits.partition(".")
    power = int(exponent or 0) - len(part)
    return power < 0 and _read(float(int(whole + part)), -power) == abs(number)


def _read(number: float, power: int) -> float:
    """A number divided by a power of ten, as the reader does it."""
    while power > _POWER_MAX:
        number /= _POWERS[_POWER_MAX]
        power -= _POWER_MAX
    return number / _POWERS[power]
