"""The way of a video: `dub_video` reads top to bottom as the pipeline runs."""

from prefect import flow
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.artifacts import show_lines, show_receipt, shown_progress
from flows.automations import refuse_endless_crashes
from flows.check import CheckedRequest, check_request
from flows.deliver import deliver
from flows.form import form
from flows.plan import planned_stages
from flows.review import Desk
from flows.speaking import (
    Scene,
    Speak,
    by_cascade,
    by_jamflow,
    cascade_voices,
    jamflow_voices,
    rewrite,
    set_scene,
    speak_lines,
)
from schemas.dub import DubRequest, DubResult, Voice
from schemas.stages import Products
from tasks.content import dub_key
from tasks.deliver import prepare_output
from tasks.faces import find_faces
from tasks.ingest import extract_audio, open_source
from tasks.ledger import record_products, recorded_run
from tasks.licences import engine_of
from tasks.mix import mix
from tasks.remux import make_movie
from tasks.script import write_script
from tasks.separate import separate
from tasks.transcribe import transcribe
from tasks.verify import verify
from tasks.workplace import open_workplace


@flow(name="dub-video", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
@form(DubRequest)
def dub_video(request: DubRequest) -> DubResult:
    """Dub one video: the picture is followed on the side while the sound is taken apart."""
    refuse_endless_crashes()
    place = open_workplace()
    checked = check_request(request, place)
    prepare_output(request, place)
    source = open_source(checked.local, place)
    run_id, stages = flow_run.get_id() or "local", len(planned_stages(request))
    key = dub_key(request, source.video.sha256, checked.models, place.settings)
    with recorded_run(run_id, request, key, source, place) as run, shown_progress(stages):
        looking = find_faces.submit(source.video, source.info) if request.sees_faces else None
        audio = extract_audio(source.video, source.audio)
        stems = separate(audio, source.audio.channel_layout)
        transcript = transcribe(stems.dialogue, request.source_language, request.speakers)
        script = write_script(transcript, checked.cues, request.target_language, source.info.duration_s)
        faces = looking.result() if looking is not None else None
        scene = set_scene(request, source, transcript, script, stems, faces, checked.faces_by)
        desk = Desk(run, place, transcript) if request.review else None
        if desk:
            scene = rewrite(scene, desk.review_script(script, cast_voices(scene, checked)))
        made = make_dub(scene, checked)
        while desk and (edited := desk.review_takes(made)) != made.script:  # only edited lines are spoken anew
            made = make_dub(rewrite(scene, edited), checked)
        record_products(run, made)
        show_lines(made)
        result = deliver(request, run, made, checked, place)
        show_receipt(result)
        return result


def make_dub(scene: Scene, checked: CheckedRequest) -> Products:
    """Speak the lines, mix them under the picture, and measure what came out."""
    voices = cast_voices(scene, checked)
    request, source, stems = scene.request, scene.source, scene.stems
    performed = speak_lines(scene, choose_engine(scene, voices, checked))
    spoken, patches = performed.lines, performed.patches
    sound = mix(stems, spoken, source.audio.channel_layout, request.loudness)
    movie = make_movie(source, sound, spoken, patches, request.target_language)
    tracks = scene.faces.tracks_ref if scene.faces is not None else None
    checks = verify(source, stems, sound, movie, spoken, voices, patches, tracks, request.target_language)
    return Products(
        lips=request.lips,
        transcript=scene.transcript,
        script=scene.script,
        stems=stems,
        voices=voices,
        spoken=spoken,
        faces=scene.faces,
        patches=patches,
        unseen=performed.unseen,
        sound=sound,
        movie=movie,
        checks=checks,
    )


def cast_voices(scene: Scene, checked: CheckedRequest) -> tuple[Voice, ...]:
    """The voices of all speakers, by the engine that was asked for."""
    if scene.request.engine == "cascade":
        return cascade_voices(scene)
    return jamflow_voices(scene, engine_of(checked.models), checked.consent)


def choose_engine(scene: Scene, voices: tuple[Voice, ...], checked: CheckedRequest) -> Speak:
    """How a line is spoken, by the engine that was asked for."""
    if scene.request.engine == "cascade":
        return by_cascade(scene, voices)
    return by_jamflow(scene, voices, engine_of(checked.models))
