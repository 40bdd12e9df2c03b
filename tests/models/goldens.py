"""Golden numbers of upstream networks: the folder that holds them, its cases and their inputs."""

import importlib.util
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import torch
from safetensors.torch import load_file
from torch import Tensor


@dataclass(frozen=True)
class GoldenCases:
    """One upstream's cases, and what was found of them; the folder's README says how they were made."""

    folder: Path
    found: list[tuple[str, float, float]] = field(default_factory=list)
    """Case and output, largest difference, and that as a share of what the case tolerates."""

    upstream: ClassVar[str]
    """Name of its files."""

    @cached_property
    def index(self) -> dict[str, Any]:
        return json.loads((self.folder / f"{self.upstream}.json").read_text())

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        return load_file(self.folder / f"{self.upstream}.safetensors")

    @cached_property
    def fill(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location("parity_fill", self.folder / "fill.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def case(self, name: str) -> dict[str, Any]:
        return next(case for case in self.index["cases"] if case["name"] == name)

    def names(self, kind: str) -> set[str]:
        return {case["name"] for case in self.index["cases"] if case["kind"] == kind}

    def input(self, case: dict[str, Any], name: str) -> Tensor | None:
        """An input of a case; None where it has none of that name."""
        described = case["inputs"].get(name)
        if described is None:
            return None
        if "tensor" in described:
            return self.tensors[described["tensor"]]
        if "value" in described:
            return torch.as_tensor(described["value"])
        made: Tensor = self.fill.make_input(described["recipe"])
        return made

    def write_table(self) -> None:
        """Write what was found to the file that JAMDUB_PARITY_TABLE names, if it names one."""
        if path := os.environ.get("JAMDUB_PARITY_TABLE"):
            Path(path).write_text(self.table())

    def table(self) -> str:
        """What was found, as Markdown."""
        rows = [f"| {name} | {difference:.1e} | {share:.2f} |" for name, difference, share in sorted(set(self.found))]
        return "\n".join(["| case, output | max abs error | share of its tolerance |", "|---|---|---|", *rows, ""])
