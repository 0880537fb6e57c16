"""Values as text for people: on one line, without what could drive a terminal; pure."""

from docstore.types import Key

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def plain(text: str) -> str:
    """Text on one line without control characters, which could drive the terminal."""
    if text.isprintable():
        return text
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def key_text(key: Key) -> str:
    """A key as people read it: the parts of a compound one separated by commas."""
    if isinstance(key, tuple | list):
        return ", ".join(map(key_text, key))
    if isinstance(key, bytes):
        return key.hex()
    return plain(key.isoformat() if hasattr(key, "isoformat") else str(key))


def counted(number: int, thing: str) -> str:
    """A number with its noun: `1 line`, `2,000 lines`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def size_text(size: int) -> str:
    """A number of bytes in the unit that keeps it short, by thousands."""
    value = float(size)
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
