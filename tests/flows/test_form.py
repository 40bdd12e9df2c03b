"""Flows take the fields of their request: what the UI's form shows and what `-p` sets is the request itself."""

import pytest
from prefect import Flow
from prefect.exceptions import ParameterTypeError

from flows.animate import animate_portrait
from flows.dub import dub_video
from flows.evaluate import evaluate
from flows.form import fields_of
from flows.lipsync import lipsync_video
from flows.localize import localize_batch
from flows.revoice import revoice_video
from flows.speak_text import speak_text
from schemas.batch import BatchRequest
from schemas.dub import DubRequest
from schemas.evaluation import EvaluationRequest
from schemas.performance_request import AnimateRequest, LipsyncRequest, RevoiceRequest, SpeakRequest
from schemas.value import Value

FORMS = (
    (dub_video, DubRequest),
    (animate_portrait, AnimateRequest),
    (evaluate, EvaluationRequest),
    (lipsync_video, LipsyncRequest),
    (localize_batch, BatchRequest),
    (revoice_video, RevoiceRequest),
    (speak_text, SpeakRequest),
)


@pytest.mark.parametrize(("flow", "kind"), FORMS, ids=[flow.name for flow, _ in FORMS])
def test_a_form_shows_each_field_as_the_request_describes_it(flow: Flow[..., object], kind: type[Value]) -> None:
    shown = flow.parameters.properties
    assert set(shown) == {field.alias or name for name, field in kind.model_fields.items()}
    for name, field in kind.model_fields.items():
        told = shown[field.alias or name]
        assert told["title"] == (field.title or name)
        assert told.get("description") == field.description
        assert ("default" in told) is not field.is_required()


def test_limits_and_choices_are_part_of_the_form() -> None:
    shown = dub_video.parameters.properties
    assert shown["lips"]["enum"] == ["keep", "reanimate"]
    assert (shown["takes"]["minimum"], shown["takes"]["maximum"]) == (1, 16)
    assert dub_video.parameters.required == ["video", "to"]


def test_a_wrong_value_is_refused_by_the_name_that_the_form_shows() -> None:
    with pytest.raises(ParameterTypeError, match=r"to: String should match pattern"):
        dub_video.validate_parameters({**fields_of(DubRequest(video="talk.mp4", target_language="es")), "to": "?"})


def test_the_fields_of_a_request_make_the_same_request() -> None:
    request = DubRequest(video="talk.mp4", target_language="pt-BR", lips="reanimate", seed=7)
    assert DubRequest(**dub_video.validate_parameters(fields_of(request))) == request
