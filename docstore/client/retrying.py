"""When a request is sent again: pure decisions over the number of attempts and the time they took.

Full jitter, as in "Exponential Backoff And Jitter" (AWS Architecture Blog): waits are uniform up to
a bound that doubles, so that many clients of a server that returns do not return at once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """How patient a client is: `deadline` bounds a call with all its retries, in seconds."""

    deadline: float = 60.0
    first_wait: float = 0.05
    wait_max: float = 5.0

    def wait(
        self, attempt: int, elapsed: float, asked: float | None, chance: float
    ) -> float | None:
        """Seconds until attempt + 1, or None to give up. `asked` is what Retry-After says.

        `chance` is uniform from 0 to 1.
        """
        bound = min(self.wait_max, self.first_wait * 2 ** min(attempt - 1, 20))
        seconds = chance * bound
        if asked is not None:
            # Not all of those who were told the same second at the same moment.
            seconds += asked
        return seconds if elapsed + seconds < self.deadline else None


def retry_after(text: str | None) -> float | None:
    """The seconds of a Retry-After header; None without one, or when it is a date."""
    if text is None or not text.isascii() or not text.strip().isdigit():
        return None
    return float(text)
