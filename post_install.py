"""Make torchaudio import beside a CPU build of torch; run once after `pip install --no-deps -r requirements.lock`.

The published torchaudio wheel is linked against CUDA. Beside a CPU-only torch its native libraries cannot be loaded
and `import torchaudio` fails; without them it takes its own "no native library" branch, where everything that is used
here (resampling, filter banks, mel spectrograms) keeps working. Beside a CUDA build of torch nothing is touched.
"""

import importlib.util
from pathlib import Path


def main() -> None:
    import torch

    spec = importlib.util.find_spec("torchaudio")  # finds the package without importing it
    if torch.version.cuda or spec is None or not spec.submodule_search_locations:
        return
    for library in (Path(next(iter(spec.submodule_search_locations))) / "lib").glob("*.so*"):
        library.unlink()


if __name__ == "__main__":
    main()
