"""Logs for machines: one JSON object a line, which says of which run, stage and line it tells, and no secret.

Prefect reads `logging.yaml`, which names what is here, where PREFECT_LOGGING_SETTINGS_PATH says so: docs/operations.md.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from prefect.context import FlowRunContext, TaskRunContext
from prefect.settings import get_current_settings
from pydantic import SecretStr

from schemas.settings import Settings

HIDDEN = "***"
_SHORTEST_SECRET = 4  # a shorter one would hide parts of ordinary words
_OWN_FIELDS = ("stage", "wall_s", "cpu_s", "done", "total", "detail")
_line: ContextVar[str | None] = ContextVar("jamdub_line", default=None)


@contextmanager
def about_line(line_id: str) -> Iterator[None]:
    """Everything logged inside, and by tasks that are submitted inside, is about this line of the script."""
    token = _line.set(line_id)
    try:
        yield
    finally:
        _line.reset(token)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; run, task, line; stage, seconds, progress."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_run_of(record),
            "line": _line.get(),
            **{name: record.__dict__.get(name) for name in _OWN_FIELDS},
        }
        if record.exc_text or record.exc_info:
            told["exception"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps({name: value for name, value in told.items() if value is not None}, default=str)


class Redact(logging.Filter):
    """Hides in every record the secrets of our settings and Prefect's, and passwords inside their addresses."""

    def __init__(self) -> None:
        super().__init__()
        self._secrets = sorted(_secrets(), key=len, reverse=True)

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._hidden(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._hidden(record.exc_text)
        if isinstance(detail := record.__dict__.get("detail"), str):
            record.__dict__["detail"] = self._hidden(detail)
        return True

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _run_of(record: logging.LogRecord) -> dict[str, str | None]:
    """Prefect's own records carry the ids; ours are made in a run's context."""
    task, flow = TaskRunContext.get(), FlowRunContext.get()
    run = task.task_run.flow_run_id if task is not None else flow.flow_run.id if flow and flow.flow_run else None
    found = {"run": run, "task": task.task_run.id if task is not None else None}
    for name, key in (("run", "flow_run_id"), ("task", "task_run_id")):
        found[name] = record.__dict__.get(key) or found[name]
    return {name: str(value) if value else None for name, value in found.items()}


def _secrets() -> set[str]:
    own, prefect = Settings(), get_current_settings()
    values: list[Any] = [*(getattr(own, name) for name in type(own).model_fields), prefect.api.key]
    values += [prefect.api.auth_string, prefect.server.database.connection_url]
    texts = [value.get_secret_value() if isinstance(value, SecretStr) else value for value in values]
    secrets = {text for text, value in zip(texts, values, strict=True) if isinstance(value, SecretStr)}
    secrets |= {part for text in texts if isinstance(text, str) for part in _passwords(text)}
    return {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}


def _passwords(address: str) -> set[str]:
    try:
        password = urlsplit(address).password
    except ValueError:  # no address
        return set()
    return {password, unquote(password)} if password else set()
