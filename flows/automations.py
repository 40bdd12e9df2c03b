"""What Prefect's server does by itself: a run whose process died is found, and goes on where it was.

Every run of our deployments has the tag `jamdub`. A killed process cannot say that it ended, but its heartbeats
stop. Its results are kept, so that the same run, begun anew on any worker, redoes only what was under way.
"""

from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, ChangeFlowRunState, EventTrigger, Posture
from prefect.runtime import flow_run

from schemas.errors import ToolError

TAG = "jamdub"
SILENCE = timedelta(seconds=90)
"""Three heartbeats (PREFECT_FLOWS_HEARTBEAT_FREQUENCY, 30 s in prefect.yaml)."""
LONGEST_RUN = timedelta(days=1)
OURS = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "Suspended", "Paused")
HEARTBEAT = "prefect.flow-run.heartbeat"
MOST_CRASHES = 5
BEGIN_ANEW = ChangeFlowRunState(
    state=StateType.SCHEDULED, name="AwaitingRetry", message="its process died: it goes on where it was"
)


def _in_each_run(after: str, expect: set[str], posture: Posture, within: timedelta) -> EventTrigger:
    """Fires for a run of ours once one of the expected events has come, or, proactively, has not come in time."""
    return EventTrigger(
        after={after},
        expect=expect,
        match_related=OURS,
        for_each={"prefect.resource.id"},
        posture=posture,
        threshold=1,
        within=within,
    )


AUTOMATIONS = (
    AutomationCore(
        name="jamdub: a silent run goes on",
        description="No heartbeat for a while: the process was killed, or its machine is gone.",
        trigger=_in_each_run(
            HEARTBEAT, {HEARTBEAT, *(f"prefect.flow-run.{end}" for end in ENDS)}, Posture.Proactive, SILENCE
        ),
        actions=[BEGIN_ANEW],
    ),
    AutomationCore(
        name="jamdub: a crashed run goes on",
        description="Its worker saw its process die. The same run is scheduled again; what it had finished is kept.",
        # Only after it ran: a process that dies before its flow begins (a broken installation) would die for ever.
        trigger=_in_each_run("prefect.flow-run.Running", {"prefect.flow-run.Crashed"}, Posture.Reactive, LONGEST_RUN),
        actions=[BEGIN_ANEW],
    ),
)


def refuse_endless_crashes() -> None:
    """End a run that has crashed again and again: what kills it (memory, a poisoned file) will kill it once more.

    Raises: ToolError.
    """
    run_id = flow_run.get_id()
    if run_id is None or flow_run.get_run_count() <= MOST_CRASHES:
        return
    with get_client(sync_client=True) as client:
        states = client.read_flow_run_states(UUID(run_id))
    crashes = sum(state.name == BEGIN_ANEW.name for state in states)
    if crashes >= MOST_CRASHES:
        raise ToolError(
            f"the process of this run died {crashes} times: see the worker's log, and the memory it had; "
            "a new run of the same request goes on where this one was"
        )
