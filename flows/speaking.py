"""Who speaks how: the voices and the takes of all lines, by either engine; lips are rendered on the side."""

from collections.abc import Callable
from dataclasses import dataclass

from models.unseen import LONGEST_UNTOLD_S, joined
from schemas.artifact import ArtifactRef, ModelRef
from schemas.dub import DubRequest, Patch, Take, Voice
from schemas.media import TimeSpan
from schemas.motion import FaceModelRef, Faces, LineFaces
from schemas.performance import LineMotion
from schemas.progress import report
from schemas.speech import Line, Script, Transcript
from schemas.stages import Source, SpokenLine, Stems
from tasks.consent import Consent, own_voices
from tasks.faces import bind_faces
from tasks.logs import about_line
from tasks.mouths import face_motions, line_motions
from tasks.perform import choose_mode, perform_takes
from tasks.render import render_line
from tasks.script import without_texts
from tasks.speak import cast, speak, utterance
from tasks.voices import cast_references, own_references

Speak = Callable[[int, Line], Take]
"""Speaks line `index` of the script."""


@dataclass(frozen=True)
class Scene:
    """All that speaking works from; `bound` holds the lines whose speaker is on screen.

    `motions`: of all faces, where the engine follows them; read and drawn by `faces_by`.
    """

    request: DubRequest
    source: Source
    transcript: Transcript
    script: Script
    stems: Stems
    faces: Faces | None
    bound: dict[str, LineFaces]
    faces_by: FaceModelRef
    motions: ArtifactRef | None


def set_scene(
    request: DubRequest,
    source: Source,
    transcript: Transcript,
    script: Script,
    stems: Stems,
    faces: Faces | None,
    faces_by: FaceModelRef,
) -> Scene:
    """Say whose face speaks each line, where faces were looked for, and what it does, where that is followed."""
    bound: dict[str, LineFaces] = {}
    if faces is not None and faces.tracks:
        found = bind_faces(without_texts(script.lines), faces, stems.dialogue)
        bound = {own.line_id: own for own in found if own.track_ids}
    motions = None
    if faces is not None and bound and request.engine == "jamflow":
        motions = face_motions(source.video, source.info, faces, faces_by)
    return Scene(request, source, transcript, script, stems, faces, bound, faces_by, motions)


def rewrite(scene: Scene, script: Script) -> Scene:
    """The same scene with another script: its lines may have other times and speakers."""
    if script == scene.script:
        return scene
    return set_scene(scene.request, scene.source, scene.transcript, script, scene.stems, scene.faces, scene.faces_by)


def cascade_voices(scene: Scene) -> tuple[Voice, ...]:
    """One packaged voice, or blend of them, for each speaker."""
    return cast(without_texts(scene.script.lines), scene.stems.dialogue, scene.request.target_language)


def jamflow_voices(scene: Scene, engine: ModelRef, consent: Consent | None) -> tuple[Voice, ...]:
    """One reference for each speaker: their own where consent was given, else a packaged one."""
    lines = without_texts(scene.script.lines)
    own = own_voices(consent, tuple(dict.fromkeys(line.speaker for line in lines)))
    heard = scene.transcript
    cloned = (
        own_references(own, lines, heard.words, scene.stems, heard.language, scene.motions, tuple(scene.bound.values()))
        if own
        else ()
    )
    others = tuple(line for line in lines if line.speaker not in own)
    packaged = cast_references(others, scene.stems.dialogue, scene.request.target_language, engine) if others else ()
    return (*cloned, *packaged)


def by_cascade(scene: Scene, voices: tuple[Voice, ...]) -> Speak:
    """Text-to-speech, then the mouth that belongs to it where lips change."""
    request = scene.request

    def take(index: int, line: Line) -> Take:
        what = utterance(scene.script, index, voices, request, scene.source.info.duration_s)
        spoken: Take = speak(what, with_motion=line.id in scene.bound)
        return spoken

    return take


def by_jamflow(scene: Scene, voices: tuple[Voice, ...], engine: ModelRef) -> Speak:
    """The joint model: it follows the mouth that is seen, or makes a new one with the voice."""
    request, faces = scene.request, _line_motions(scene)

    def take(index: int, line: Line) -> Take:
        what = utterance(scene.script, index, voices, request, scene.source.info.duration_s)
        face = faces.get(line.id, LineMotion(line_id=line.id, motion=None, seen_share=0.0))
        choice = choose_mode(request.lips, face)
        motion = face.motion if choice.mode != "read" else None
        performed: Take = perform_takes(what, choice, motion, request.takes, engine)
        return performed

    return take


def _line_motions(scene: Scene) -> dict[str, LineMotion]:
    if scene.motions is None:
        return {}
    shown = tuple(line for line in without_texts(scene.script.lines) if line.id in scene.bound)
    bound = tuple(scene.bound[line.id] for line in shown)
    motions = line_motions(shown, bound, scene.motions, scene.faces_by.space)
    return {own.line_id: own for own in motions}


@dataclass(frozen=True)
class SpokenScene:
    """All lines as they are spoken, the patches of their lips, and where no face could be drawn for long.

    Without a single frame to change there are no patches (None), and the picture is copied as it is.
    """

    lines: tuple[SpokenLine, ...]
    patches: tuple[Patch, ...] | None
    unseen: tuple[TimeSpan, ...]


def speak_lines(scene: Scene, speaking: Speak) -> SpokenScene:
    """Speak line after line; while the next is spoken, the last one's lips are rendered."""
    source, lines, faces_by = scene.source, scene.script.lines, scene.faces_by
    spoken, rendering, unseen = [], [], []
    for index, line in enumerate(lines):
        with about_line(line.id):
            report("speak", index, len(lines), line.target_text or "(original voice kept)")
            take = speaking(index, line) if line.target_text else None
            own, shown = scene.bound.get(line.id), scene.faces
            if scene.request.lips == "reanimate" and take is not None:
                if take.motion is not None and own and shown:
                    where = (shown.tracks_ref, own, faces_by)
                    rendering.append(render_line.submit(source.video, source.info, line.span, take, *where))
                elif line.span.duration_s > LONGEST_UNTOLD_S:
                    unseen.append(line.span)
        spoken.append(SpokenLine(line=line, take=take))
    report("speak", len(lines), len(lines))
    rendered = [future.result() for future in rendering]
    patches = tuple(patch for line in rendered for patch in line.patches)
    unseen += [span for line in rendered for span in line.unseen]
    return SpokenScene(tuple(spoken), patches if any(patch.frames for patch in patches) else None, joined(unseen))
