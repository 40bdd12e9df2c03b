"""Flows run in this process: what Prefect and the model libraries read at import, and what the terminal shows."""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from flows.form import fields_of
from schemas.settings import Settings
from schemas.value import Value

Made = TypeVar("Made")


def embedded_environment(settings: Settings, verbose: bool, refresh: bool) -> None:
    """Set what Prefect and the model libraries read at import, unless the user has set it."""
    home = settings.home.absolute()
    defaults = {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_LOCAL_STORAGE_PATH": str(home / "results"),
        "PREFECT_LOGGING_LEVEL": "INFO" if verbose else "CRITICAL",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # A first start migrates the server's database: 20 s, the default limit, is too short on a busy machine.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
        "PREFECT_TASKS_REFRESH_CACHE": "true" if refresh else "false",
        # Threads that spin while they wait for each other stand still where another program has one of the cores:
        # a small model then takes fifty times as long.
        "OMP_WAIT_POLICY": "PASSIVE",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "PYANNOTE_METRICS_ENABLED": "0",
        "GLOG_minloglevel": "2",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "MPLBACKEND": "Agg",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    if not verbose:
        warnings.filterwarnings("ignore")


def open_home() -> None:
    """Make Prefect's home, without which its server does not start, and stop servers that a killed run left there."""
    from flows.orphans import stop_orphaned_servers

    home = Path(os.environ["PREFECT_HOME"])
    home.mkdir(parents=True, exist_ok=True)
    stop_orphaned_servers(home)


def run_embedded(load: Callable[[], Callable[..., Made]], request: Value, settings: Settings, verbose: bool) -> Made:
    """Run a flow with a live display, or, where the user wants them, with its logs.

    Args:
        load: Imports the flow, which starts Prefect.
    """
    if verbose:
        return load()(**fields_of(request))
    from flows.live import live_progress
    from flows.quiet import quiet_stderr

    with quiet_stderr(settings.home / "logs" / "native.log") as console:
        with console.status("starting Prefect"):
            flow = load()
        with live_progress(console):
            return flow(**fields_of(request))
