"""Whether waiting jobs get their places in fair order: by start tags, with few jobs overtaken."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.ports import Data
from tests.simulation.kernel import fail

# A refill that was frozen between its query and its grants passes over jobs that came since, as
# many as there are places; it is rare that anybody is overtaken twice.
OVERTAKINGS_MAX = 3


@dataclass(frozen=True, slots=True)
class _Waiting:
    start_tag: int
    units: int


class Fairness:
    """Watches the lines of all pools. A start that passes over a waiting job of a lower tag is an
    overtaking of that job, unless that one needs more places than this account has open."""

    def __init__(self, places_of: Callable[[str], int]) -> None:
        self._places_of = places_of  # open ones of an account, free or not
        self._lines: dict[str, dict[str, _Waiting]] = {}  # by pool and job
        self._overtaken: dict[str, int] = {}
        self._finish_tags: dict[tuple[str, str], int] = {}
        self.overtakings_max = 0
        self.barged = 0  # new jobs that found a place free while others still waited for it

    def came(self, job: Data) -> None:
        """A job was created."""
        key = job["user_id"], job["pool"]
        tag = job["start_tag"]
        if tag < self._finish_tags.get(key, 0):
            fail("I15", f"{job['id']} starts before its owner's last job ends, in fair time")
        self._finish_tags[key] = tag + job["weighted_cost_ms"]
        line = self._lines.setdefault(job["pool"], {})
        if job["state"] == "parked":
            line[job["id"]] = _Waiting(tag, job["units"])
        else:
            self.barged += any(waiting.start_tag < tag for waiting in line.values())

    def came_back(self, job: Data) -> None:
        """A job that had its place, and was sent to nobody, waits again."""
        waiting = _Waiting(job["start_tag"], job["units"])
        self._lines.setdefault(job["pool"], {})[job["id"]] = waiting

    def moved(self, before: Data, job: Data) -> None:
        """A waiting job waits in another line."""
        self._lines[before["pool"]].pop(job["id"])
        self._overtaken.pop(job["id"], None)
        self.came_back(job)

    def left(self, job: Data) -> None:
        """A waiting job got its place, or ended."""
        line = self._lines[job["pool"]]
        mine = line.pop(job["id"]).start_tag, job["id"]
        self._overtaken.pop(job["id"], None)
        if job["state"] != "ready":
            return
        places = self._places_of(job["account"])
        for other, waiting in line.items():
            if (waiting.start_tag, other) < mine and waiting.units <= places:
                count = self._overtaken.get(other, 0) + 1
                self._overtaken[other] = count
                self.overtakings_max = max(self.overtakings_max, count)
                if count > OVERTAKINGS_MAX:
                    fail("I15", f"{other} was overtaken {count} times")
