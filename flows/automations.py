"""What Prefect's server does by itself: a run whose process died is found, and goes on where it was.

Every run of our deployments has the tag `jamdub`. A killed process cannot say that it ended, but its heartbeats
stop. Its results are kept, so that the same run, begun anew on any worker, redoes only what was under way.
"""

from datetime import timedelta

from prefect.client.schemas.objects import StateType
from prefect.events import AutomationCore, ChangeFlowRunState, EventTrigger, Posture

TAG = "jamdub"
SILENCE = timedelta(seconds=90)
"""Three heartbeats (PREFECT_FLOWS_HEARTBEAT_FREQUENCY, 30 s in prefect.yaml)."""
OURS = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
ENDS = ("Completed", "Failed", "Cancelled", "Crashed", "Suspended", "Paused")
HEARTBEAT = "prefect.flow-run.heartbeat"

AUTOMATIONS = (
    AutomationCore(
        name="jamdub: a silent run has crashed",
        description="No heartbeat for a while: the process was killed, or its machine is gone.",
        trigger=EventTrigger(
            after={HEARTBEAT},
            expect={HEARTBEAT, *(f"prefect.flow-run.{end}" for end in ENDS)},
            match_related=OURS,
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message="its process has fallen silent")],
    ),
    AutomationCore(
        name="jamdub: a crashed run goes on",
        description="The same run is scheduled again; what it had finished is kept. After five crashes it fails.",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Crashed"},
            match_related=OURS,
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
            within=timedelta(0),
        ),
        actions=[ChangeFlowRunState(state=StateType.SCHEDULED, name="AwaitingRetry", message="begun again")],
    ),
)
