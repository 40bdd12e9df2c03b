"""A folder of long work belongs to one recipe: what is there already is not mixed with what is made otherwise."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.training.distributed import rank
from schemas.errors import RequestError
from storage.files import write_whole

RECIPE_FILE = "recipe.json"


def claim(folder: Path, recipe: Mapping[str, Any]) -> None:
    """Make a folder, and make sure that what it holds was made by the same recipe; the first of several processes does.

    Raises:
        RequestError: By another; the error names the first difference.
    """
    if rank() != 0:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / RECIPE_FILE, json.dumps(recipe, indent=1, sort_keys=True)
    if path.is_file():
        was, asked = _flat(json.loads(path.read_text(encoding="utf-8"))), _flat(json.loads(text))
        for name in sorted(was.keys() | asked.keys()):
            if was.get(name) != asked.get(name):
                raise RequestError(
                    f"{folder} was begun with {name} = {was.get(name)}, and now it is {asked.get(name)}: go on with "
                    f"the former value, choose another --out, or remove the folder"
                )
        return
    write_whole(path, f"{text}\n".encode())


def _flat(values: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{at}{name}.") if isinstance(value, dict) else {f"{at}{name}": value}
    return flat
