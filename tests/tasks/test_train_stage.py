"""What all stages share: a folder belongs to one recipe, products appear whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RequestError
from tasks.recipe import RECIPE_FILE, claim
from tasks.train_stage import digest, made_whole

RECIPE = {"seed": 0, "course": {"steps": 6000, "frames": 3400}, "clips": "ab"}


def test_a_folder_belongs_to_the_recipe_it_was_begun_with(tmp_path: Path) -> None:
    folder = tmp_path / "joint"
    claim(folder, RECIPE)
    before = (folder / RECIPE_FILE).read_bytes()
    claim(folder, RECIPE)
    assert (folder / RECIPE_FILE).read_bytes() == before
    with pytest.raises(RequestError, match=r"was begun with course\.steps = 6000, and now it is 7000: go on with the"):
        claim(folder, {**RECIPE, "course": {"steps": 7000, "frames": 3400}})
    with pytest.raises(RequestError, match="was begun with clips = ab, and now it is None"):
        claim(folder, {name: value for name, value in RECIPE.items() if name != "clips"})


def test_a_training_of_before_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "step-0000007.pt").write_bytes(b"weights")
    claim(tmp_path, RECIPE)
    assert (tmp_path / "step-0000007.pt").read_bytes() == b"weights"


def test_a_product_is_made_once_and_whole(tmp_path: Path) -> None:
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "one").write_text("1")
        if len(calls) == 1:
            raise RuntimeError("killed")
        (folder / "two").write_text("2")

    with pytest.raises(RuntimeError, match="killed"):
        made_whole(tmp_path / "made", make)
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        assert made_whole(tmp_path / "made", make) == tmp_path / "made"
    assert len(calls) == 2 and [path.name for path in tmp_path.iterdir()] == ["made"]
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["one", "two"]
    assert (tmp_path / "made").stat().st_mode & 0o555 == 0o555


@given(st.lists(st.text(alphabet="abc", min_size=1), unique=True, min_size=2))
def test_digests_tell_clips_and_their_order_apart(names: list[str]) -> None:
    assert digest(names) == digest(list(names)) != digest(names[::-1])
    assert digest(names) != digest(names[1:])
