"""Whether waiting jobs get their places in fair order: by start tags, with few jobs overtaken."""

from collections.abc import Callable

from shared.ports import Data


class Fairness:
    """Watches the lines of all pools. A start that passes over a waiting job of a lower tag is an
    overtaking; another start of the job's owner, or its own, ends the count."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail
        self._waiting: dict[str, dict[str, tuple[int, str, str]]] = {}  # pool -> job -> tag, id, user
        self._overtaken: dict[str, int] = {}  # job -> how often
        self._finish_tags: dict[tuple[str, str], int] = {}
        self.overtakings_max = 0
        self.barged = 0  # a new job that found a place free while others still waited for it

    def came(self, job: Data) -> None:
        """A job was created."""
        key = (job["user_id"], job["pool"])
        if job["start_tag"] < self._finish_tags.get(key, 0):
            self._fail(f"{job['id']} starts before the last job of its owner ends, in fair time")
        self._finish_tags[key] = job["start_tag"] + job["weighted_cost_ms"]
        line = self._waiting.setdefault(job["pool"], {})
        if job["state"] == "parked":
            line[job["id"]] = (job["start_tag"], job["id"], job["user_id"])
        elif any(tag < job["start_tag"] for tag, _, _ in line.values()):
            self.barged += 1

    def left(self, job: Data) -> None:
        """A waiting job got its place, or ended."""
        line = self._waiting[job["pool"]]
        tag, job_id, _ = line.pop(job["id"])
        self._overtaken.pop(job_id, None)
        if job["state"] != "ready":
            return
        for other_tag, other, _ in line.values():
            if (other_tag, other) < (tag, job_id):
                count = self._overtaken.get(other, 0) + 1
                self._overtaken[other] = count
                self.overtakings_max = max(self.overtakings_max, count)
