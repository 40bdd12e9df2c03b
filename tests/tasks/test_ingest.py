"""Which fields of requests are opened: all that name a file, so that none escapes the root."""

import pytest

from schemas.dub import DubRequest
from schemas.performance_request import AnimateRequest, LipsyncRequest, PerformanceRequest, RevoiceRequest, SpeakRequest
from schemas.value import Value
from tasks.ingest import INPUTS

REQUESTS = (DubRequest, SpeakRequest, RevoiceRequest, LipsyncRequest, AnimateRequest)
OUTPUTS = {"out", "motion_out", "output_dir"}


def test_no_request_is_forgotten() -> None:
    found, waiting = set(), [PerformanceRequest]
    while waiting:
        kind = waiting.pop()
        waiting += (derived := kind.__subclasses__())
        found |= set() if derived else {kind}
    assert found == set(REQUESTS) - {DubRequest}


@pytest.mark.parametrize("request_type", REQUESTS)
def test_every_file_that_a_request_names_is_an_input_or_an_output(request_type: type[Value]) -> None:
    named = {name for name, field in request_type.model_fields.items() if "path or s3://" in (field.description or "")}
    assert "out" in named or "output_dir" in named
    assert named - OUTPUTS <= set(INPUTS)
