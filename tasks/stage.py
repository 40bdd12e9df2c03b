"""The one decorator of every task: content-addressed caching, JSON results, and a record of the time it took.

A task's key is its name, a version bumped by hand when its meaning changes, and the content of its inputs
(references carry hashes, everything else is a frozen value): never paths, never source text (docs/adr/0004).
"""

import functools
import hashlib
import json
import logging
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.context import TaskRunContext
from pydantic import TypeAdapter

import tasks.results  # noqa: F401 (Prefect finds the block of our results by its class)
from models.weights.known import KNOWN
from schemas.artifact import refs_in
from schemas.stages import StageMetrics
from tasks.lease import machine_lease

P = ParamSpec("P")
R = TypeVar("R")

LOGGER_NAME = "jamdub.stage"


def stage_task(
    name: str, *, version: int, weights: tuple[str, ...] = (), timeout_s: float = 4 * 3600, heavy: bool = False
) -> Callable[[Callable[P, R]], Any]:
    """Make a Prefect task of a function whose inputs and result are values of `schemas`.

    `weights` names what it computes with (models.weights.known): other weights, another key. A `heavy` task holds
    the machine's lease while it runs (tasks.lease); a result from the cache needs none.
    """

    def decorate(function: Callable[P, R]) -> Any:
        @functools.wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            with machine_lease() if heavy else nullcontext(), _record(name, (args, kwargs)) as record:
                made = function(*args, **kwargs)
                record["bytes_out"] = _bytes_of(made)
                return made

        def key(context: TaskRunContext, parameters: dict[str, Any]) -> str:
            _log("asked", name, task_run_id=str(context.task_run.id))
            return content_key(name, version, {**parameters, "weights": {item: KNOWN[item].sha256 for item in weights}})

        as_task = task(
            name=name,
            version=str(version),
            cache_policy=CacheKeyFnPolicy(cache_key_fn=key),
            persist_result=True,
            result_serializer="json",
            timeout_seconds=timeout_s,
        )
        return as_task(timed)

    return decorate


def long_task(name: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a Prefect task that keeps its own results in a folder, and goes on there: neither cached nor timed out."""
    return task(name=name, cache_policy=NO_CACHE, persist_result=False, retries=0)


def content_key(name: str, version: int, parameters: dict[str, Any]) -> str:
    """Hash of what a task is asked, equal for equal content in every process and on every machine."""
    plain = TypeAdapter(dict[str, Any]).dump_python(parameters, mode="json")
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return f"{name}-v{version}-{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass
class StageTimes:
    """What a run did: seconds by stage, tasks asked for, tasks that ran (the others were cache hits)."""

    wall_s: dict[str, float] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)
    bytes_in: dict[str, int] = field(default_factory=dict)
    bytes_out: dict[str, int] = field(default_factory=dict)
    asked: dict[str, str] = field(default_factory=dict)
    """Stage of each task run that was asked for."""
    ran: list[str] = field(default_factory=list)

    @property
    def cached(self) -> int:
        return len(self.asked) - len(self.ran)

    def metrics(self) -> tuple[StageMetrics, ...]:
        """The same by stage."""
        asked, ran = Counter(self.asked.values()), Counter(self.ran)
        return tuple(
            StageMetrics(
                stage=stage,
                ran=ran[stage],
                cached=max(0, asked[stage] - ran[stage]),
                wall_s=self.wall_s.get(stage, 0.0),
                cpu_s=self.cpu_s.get(stage, 0.0),
                bytes_in=self.bytes_in.get(stage, 0),
                bytes_out=self.bytes_out.get(stage, 0),
            )
            for stage in sorted(asked | ran)
        )


@contextmanager
def collect_stage_times() -> Iterator[StageTimes]:
    """Collect the records of all tasks that run in this process inside the block."""
    times = StageTimes()
    handler = _Collector(times)
    logger = logging.getLogger(LOGGER_NAME)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield times
    finally:
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, times: StageTimes) -> None:
        super().__init__()
        self._times = times
        self._lock = threading.Lock()

    def emit(self, record: logging.LogRecord) -> None:
        fields = record.__dict__
        with self._lock:
            if record.msg == "asked":
                self._times.asked[fields["task_run_id"]] = fields["stage"]
            if record.msg != "ran":
                return
            stage = fields["stage"]
            self._times.ran.append(stage)
            for name in ("wall_s", "cpu_s", "bytes_in", "bytes_out"):
                sums = getattr(self._times, name)
                sums[stage] = sums.get(stage, 0) + fields[name]


@contextmanager
def _record(stage: str, given: object) -> Iterator[dict[str, int]]:
    wall, cpu, counted = time.monotonic(), _cpu_seconds(), {"bytes_in": _bytes_of(given)}
    _log("started", stage)
    yield counted
    _log("ran", stage, wall_s=time.monotonic() - wall, cpu_s=_cpu_seconds() - cpu, **counted)


def _bytes_of(value: object) -> int:
    """Bytes of all objects that a value refers to, each counted once."""
    return sum({ref.sha256: ref.size_bytes for ref in refs_in(value)}.values())


def _cpu_seconds() -> float:
    """CPU seconds of this process and its finished children (ffmpeg): stages that run side by side share them."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _log(message: str, stage: str, **fields: Any) -> None:
    logging.getLogger(LOGGER_NAME).debug(message, extra={"stage": stage, **fields})
