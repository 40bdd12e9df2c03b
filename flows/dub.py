"""The way of a video: `dub_video` reads top to bottom as the pipeline runs."""

from prefect import flow
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner

from flows.artifacts import show_lines, show_receipt, shown_progress
from flows.check import check_request
from flows.deliver import deliver
from flows.plan import planned_stages
from schemas.artifact import ArtifactRef
from schemas.dub import DubRequest, DubResult, Patch, Voice
from schemas.motion import Faces, LineFaces
from schemas.progress import report
from schemas.speech import Script
from schemas.stages import Products, Source, SpokenLine
from tasks.deliver import prepare_output
from tasks.faces import bind_faces, find_faces
from tasks.ingest import extract_audio, open_source
from tasks.ledger import record_products, recorded_run
from tasks.mix import mix
from tasks.remux import make_movie
from tasks.render import render_line
from tasks.script import without_texts, write_script
from tasks.separate import separate
from tasks.speak import cast, speak, utterance
from tasks.transcribe import transcribe
from tasks.verify import verify
from tasks.workplace import open_workplace


@flow(name="dub-video", task_runner=ThreadPoolTaskRunner(max_workers=2))  # type: ignore[arg-type]
def dub_video(request: DubRequest) -> DubResult:
    """Dub one video: the picture is followed on the side while the sound is taken apart."""
    place = open_workplace()
    checked = check_request(request, place)
    prepare_output(request)
    source = open_source(request, place)
    run_id, stages = flow_run.get_id() or "local", len(planned_stages(request))
    with recorded_run(run_id, request, source, place) as run, shown_progress(stages):
        looking = find_faces.submit(source.video, source.info) if request.lips == "reanimate" else None
        audio = extract_audio(source.video, source.audio)
        stems = separate(audio, source.audio.channel_layout)
        transcript = transcribe(stems.dialogue, request.source_language, request.speakers)
        script = write_script(transcript, checked.cues, request.target_language, source.info.duration_s)
        voices = cast(without_texts(script.lines), stems.dialogue, request.target_language)
        faces = looking.result() if looking is not None else None
        spoken, patches = speak_lines(request, source, script, voices, faces, stems.dialogue)
        sound = mix(stems, spoken, source.audio.channel_layout, request.loudness)
        movie = make_movie(source, sound, spoken, patches, request.target_language)
        tracks = faces.tracks_ref if faces is not None else None
        checks = verify(source, stems, sound, movie, spoken, voices, patches, tracks, request.target_language)
        made = Products(
            transcript=transcript,
            script=script,
            stems=stems,
            voices=voices,
            spoken=spoken,
            faces=faces,
            patches=patches,
            sound=sound,
            movie=movie,
            checks=checks,
        )
        record_products(run, made)
        show_lines(made)
        result = deliver(request, run, made, checked.models, place)
        show_receipt(result)
        return result


def speak_lines(
    request: DubRequest,
    source: Source,
    script: Script,
    voices: tuple[Voice, ...],
    faces: Faces | None,
    dialogue: ArtifactRef,
) -> tuple[tuple[SpokenLine, ...], tuple[Patch, ...] | None]:
    """Speak line after line; while the next is spoken, the last one's lips are rendered.

    Without a single frame to change there are no patches, and the picture is copied as it is.
    """
    on_screen = _speaking_faces(script, faces, dialogue)
    spoken, rendering = [], []
    for index, line in enumerate(script.lines):
        report("speak", index, len(script.lines), line.target_text or "(original voice kept)")
        own = on_screen.get(line.id)
        take = None
        if line.target_text:
            what = utterance(script, index, voices, request, source.info.duration_s)
            take = speak(what, with_motion=own is not None)
        if take is not None and own is not None and faces is not None:
            rendering.append(render_line.submit(source.video, source.info, line.span, take, faces.tracks_ref, own))
        spoken.append(SpokenLine(line=line, take=take))
    report("speak", len(script.lines), len(script.lines))
    patches = tuple(patch for future in rendering for patch in future.result().patches)
    return tuple(spoken), patches if any(patch.frames for patch in patches) else None


def _speaking_faces(script: Script, faces: Faces | None, dialogue: ArtifactRef) -> dict[str, LineFaces]:
    if faces is None or not faces.tracks:
        return {}
    bound = bind_faces(without_texts(script.lines), faces, dialogue)
    return {own.line_id: own for own in bound if own.track_ids}
