"""espeak-ng as a library, for its phonemes alone: what a word sounds like in a language, as IPA."""

import ctypes
import functools
import tempfile
import threading
from pathlib import Path

from schemas.errors import ToolError

# espeak-ng's own enumerations (speak_lib.h)
_RETRIEVAL = 1  # never opens a sound device
_DONT_EXIT = 0x8000
_UTF8 = 1
_IPA = 0x02
_TIE = 0x80 | ord("^") << 8  # joins the letters of one phoneme: "a^ɪ"
_PATH_LIMIT = 140  # its buffer holds 160 bytes with the file's name
_LOCK = threading.Lock()  # the library is one state machine per process


def ipa(clause: str, voice: str) -> str:
    """Spell a clause in IPA as espeak-ng's voice says it, with stress marks and `^` ties; punctuation is lost.

    Args:
        voice: espeak-ng's name of a language: "es", "en-us".

    Raises:
        ToolError: the library or its data cannot be loaded, or it has no such voice.
    """
    with _LOCK:
        library = _library()
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ToolError(f"espeak-ng has no voice {voice!r}: reinstall espeakng-loader from requirements.lock")
        # A NUL byte would end the text early.
        rest = ctypes.c_char_p(clause.replace("\0", " ").encode("utf-8", "replace"))
        spelled = []
        while rest.value is not None:  # one clause of its own a call
            part: bytes | None = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA | _TIE)
            spelled.append((part or b"").decode("utf-8", "replace").strip())
    return " ".join(part for part in spelled if part)


@functools.lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    """Load and initialise espeak-ng once; call it under the lock."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    data = Path(espeakng_loader.get_data_path())
    if library.espeak_Initialize(_RETRIEVAL, 0, bytes(short_data_path(data)), _DONT_EXIT) <= 0:
        raise ToolError(f"espeak-ng cannot read its data at {data}: reinstall espeakng-loader from requirements.lock")
    return library


def short_data_path(data: Path) -> Path:
    """Return a path to the same data folder that fits espeak-ng's buffer, by a link where the own path is too long."""
    if len(bytes(data)) <= _PATH_LIMIT:
        return data
    link = Path(tempfile.mkdtemp(prefix="espeak-")) / data.name
    link.symlink_to(data, target_is_directory=True)
    return link
