"""A task's cache key follows content and nothing else."""

import logging

from hypothesis import given
from hypothesis import strategies as st

from schemas.artifact import ArtifactRef
from schemas.media import TimeSpan
from tasks.stage import LOGGER_NAME, collect_stage_times, content_key

REF = ArtifactRef(sha256="a" * 64, media_type="audio/wav", size_bytes=10)


def test_equal_content_gives_equal_keys_whatever_the_order() -> None:
    one = content_key("mix", 1, {"audio": REF, "seed": 3})
    other = content_key("mix", 1, {"seed": 3, "audio": REF.model_copy()})
    assert one == other


def test_task_version_and_content_each_change_the_key() -> None:
    keys = {
        content_key("mix", 1, {"audio": REF}),
        content_key("mux", 1, {"audio": REF}),
        content_key("mix", 2, {"audio": REF}),
        content_key("mix", 1, {"audio": REF.model_copy(update={"sha256": "b" * 64})}),
    }
    assert len(keys) == 4


def test_other_weights_give_another_key() -> None:
    keys = {content_key("speak", 1, {"text": "a", "weights": {"kokoro": digest}}) for digest in ("a" * 64, "b" * 64)}
    assert len(keys) == 2


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_spans_in_keys_are_told_apart(one: float, other: float) -> None:
    keys = {content_key("cut", 1, {"span": (TimeSpan(start_s=s, end_s=s + 1),)}) for s in (one, other)}
    assert len(keys) == len({TimeSpan(start_s=s, end_s=s + 1) for s in (one, other)})


def test_times_are_collected_only_inside_the_block() -> None:
    logger = logging.getLogger(LOGGER_NAME)
    with collect_stage_times() as times:
        logger.debug("asked", extra={"stage": "mix", "task_run_id": "1"})
        logger.debug("ran", extra={"stage": "mix", "wall_s": 2.0, "cpu_s": 1.0, "bytes_in": 30, "bytes_out": 4})
        logger.debug("asked", extra={"stage": "mix", "task_run_id": "2"})
    logger.debug("asked", extra={"stage": "mix", "task_run_id": "3"})
    assert (times.wall_s, times.cpu_s, times.cached) == ({"mix": 2.0}, {"mix": 1.0}, 1)
    (mix,) = times.metrics()
    assert (mix.stage, mix.ran, mix.cached, mix.bytes_in, mix.bytes_out) == ("mix", 1, 1, 30, 4)
