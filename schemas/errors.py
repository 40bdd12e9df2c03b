"""Every error a user can meet, with the exit code it ends the command line with.

    JamdubError          1   our own fault
    ├── RequestError     2   the request is wrong: a missing file, an unknown language, a bad script
    │   └── LengthMismatch   sound and motion of one clip do not last equally long
    ├── MediaError       3   the media cannot be dubbed: broken, silent, no audio
    ├── WeightsError     1   a weight file is missing, altered, or its licence forbids this run
    ├── StorageError     1   the object store or the catalogue failed
    │   ├── ArtifactMissing
    │   └── ArtifactCorrupt
    ├── ToolError        1   an external program failed or ran out of time
    ├── Rejected         5   a reviewer said no
    ├── AwaitingReview   4   not failed: it goes on when a reviewer has answered
    └── ItemsFailed      1   some dubs of a batch failed; the others are delivered

A message is one line: what is wrong, where (the file, the value), and what to do about it.
"""


class JamdubError(Exception):
    """The root of the tree; `exit_code` is what the command line returns."""

    exit_code = 1


class RequestError(JamdubError):
    """The request cannot be carried out as asked."""

    exit_code = 2


class LengthMismatch(RequestError):
    """Sound and motion that are to go together do not last equally long."""


class MediaError(JamdubError):
    """The media itself cannot be dubbed."""

    exit_code = 3


class WeightsError(JamdubError):
    """A weight file is missing, altered, or not allowed by the licence policy."""


class StorageError(JamdubError):
    """The object store or the catalogue failed."""


class ArtifactMissing(StorageError):
    """The store does not hold an object that a reference names."""


class ArtifactCorrupt(StorageError):
    """An object's bytes do not have the hash they are stored under."""


class ToolError(JamdubError):
    """An external program failed or ran out of time."""


class Rejected(JamdubError):
    """A reviewer said no; the message says why."""

    exit_code = 5


class AwaitingReview(JamdubError):
    """A run cannot go on before a reviewer has answered; the message says how to."""

    exit_code = 4


class ItemsFailed(JamdubError):
    """Some dubs of a batch failed; the others are delivered."""
