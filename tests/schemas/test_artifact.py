"""References are found wherever a value holds them."""

from schemas.artifact import ArtifactRef, refs_in
from schemas.dub import Take
from schemas.media import TimeSpan
from schemas.speech import Line
from schemas.stages import SpokenLine


def ref(digit: str) -> ArtifactRef:
    return ArtifactRef(sha256=digit * 64, media_type="audio/wav", size_bytes=1)


def test_references_are_found_however_deep() -> None:
    line = Line(id="l", speaker="A", span=TimeSpan(start_s=0, end_s=1), source_text="a", target_text=None)
    numbers = {"seed": 0, "duration_s": 1.0, "speed": 1.0, "stretch": 1.0, "overflow_s": 0.0, "unfit_s": 0.0}
    take = Take(audio=ref("1"), motion=ref("2"), engine="cascade", **numbers)
    held = {"spoken": (SpokenLine(line=line, take=take), SpokenLine(line=line, take=None)), "others": [ref("3"), 7]}
    assert [found.sha256[0] for found in refs_in(held)] == ["1", "2", "3"]
    assert list(refs_in(line)) == []
