"""People's word before a script is spoken, and before a dub is delivered.

On a Prefect worker the run suspends: no process waits, and any worker goes on when the form is answered. On the
command line the run ends instead; `jamdub review RUN` answers, and goes on where it was. Both ask by content: what
was approved once is not asked again.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from prefect import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment

from media.report.review import script_page, takes_page
from media.subtitles import read_script
from models.dialogue.edit import edit_lines
from models.dialogue.match import match_script
from schemas.artifact import ArtifactRef
from schemas.dub import Voice
from schemas.errors import AwaitingReview, Rejected, RequestError
from schemas.review import Answer, Approval, Question, ReviewStage
from schemas.speech import Script, Transcript
from schemas.stages import Products
from storage.places import fetch
from storage.reviews import ReviewBook
from tasks.ledger import Run
from tasks.workplace import Workplace

AnswerForm = RunInput.subclass_from_base_model_type(Answer)
JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Desk:
    """Where a run's questions are put."""

    run: Run
    place: Workplace
    transcript: Transcript

    @property
    def book(self) -> ReviewBook:
        return ReviewBook(self.run.catalogue)

    def review_script(self, script: Script, voices: Sequence[Voice]) -> Script:
        """Ask whether these words may be spoken by these voices; returns the script that holds.

        Raises: AwaitingReview, where the answer must come first; Rejected.
        """
        seen = {"script": script.model_dump(mode="json"), "voices": [voice.model_dump(mode="json") for voice in voices]}
        return self._ask("script", seen, script, script_page(script, voices))

    def review_takes(self, made: Products) -> Script:
        """Ask whether the dub may be delivered; returns the script that holds: another one is to be spoken first.

        Raises: AwaitingReview, where the answer must come first; Rejected.
        """
        return self._ask("takes", {"movie": made.movie.video.sha256}, made.script, takes_page(made))

    def _ask(self, stage: ReviewStage, seen: object, script: Script, page: str) -> Script:
        subject = hashlib.sha256(json.dumps([stage, seen], sort_keys=True).encode()).hexdigest()
        question = Question(
            stage=stage,
            subject=subject,
            script=_keep(script, self.place),
            transcript=_keep(self.transcript, self.place),
            duration_s=self.run.source.info.duration_s,
            page=page,
        )
        known = self.book.approved(subject)
        if known is None:
            return self._ask_anew(question)
        assert known.answer is not None and known.revision is not None, "an approval has both"
        if known.run_id != self.run.id:
            self.book.ask(self.run.id, question)
            self.book.answer(self.run.id, known.answer, known.revision, known.given_at)
        return Script.model_validate_json(self.place.store.get_bytes(known.revision))

    def _ask_anew(self, question: Question) -> Script:
        for attempt in count(1):
            self.book.ask(self.run.id, question)
            answer = _await_answer(f"{question.stage}-{question.subject[:12]}-{attempt}", self.run.id, question.page)
            try:
                return give_answer(self.run.id, question, answer, self.book, self.place)
            except RequestError as error:
                page = f"**Your last answer could not be taken: {error}**\n\n{question.page}"
                question = question.model_copy(update={"page": page})
        raise AssertionError("counting does not end")


def give_answer(run_id: str, question: Question, answer: Answer, book: ReviewBook, place: Workplace) -> Script:
    """Keep an answer to a run's open question; returns the script that holds since.

    Raises: RequestError, where its edits cannot be applied: nothing is kept then; Rejected, after it was kept.
    """
    revised = check_answer(question, answer, place)
    book.answer(run_id, answer, _keep(revised, place))
    if answer.decision == "reject":
        raise Rejected(f"the {question.stage} was rejected: {answer.reason or 'no reason was given'}")
    return revised


def check_answer(question: Question, answer: Answer, place: Workplace) -> Script:
    """Return the script as an answer makes it; nothing is kept. Raises: RequestError, which names what is wrong."""
    script = Script.model_validate_json(place.store.get_bytes(question.script))
    transcript = Transcript.model_validate_json(place.store.get_bytes(question.transcript))
    if answer.script.strip():
        answer = answer.model_copy(update={"script": str(fetch(answer.script.strip(), place.settings))})
    return revise(script, answer, transcript, question.duration_s)


def revise(script: Script, answer: Answer, transcript: Transcript, duration_s: float) -> Script:
    """Apply an answer's new script or edited lines. Raises: RequestError, which names what is wrong."""
    if answer.script.strip():
        if answer.edits.strip():
            raise RequestError("give edited lines or an edited script, not both")
        return match_script(transcript, read_script(Path(answer.script)), script.language, duration_s)
    return edit_lines(script, answer.edits)


def approvals(run: Run) -> tuple[Approval, ...]:
    """What the receipt says of a run's reviews."""
    return tuple(
        Approval(
            stage=review.question.stage,
            reviewer=review.answer.reviewer,
            reason=review.answer.reason,
            given_at=review.given_at,
        )
        for review in ReviewBook(run.catalogue).of_run(run.id)
        if review.answer is not None and review.given_at is not None
    )


def _keep(value: Script | Transcript, place: Workplace) -> ArtifactRef:
    return place.store.put_bytes(value.model_dump_json().encode(), JSON_TYPE)


def _await_answer(key: str, run_id: str, page: str) -> Answer:
    if deployment.get_id() is None:
        raise AwaitingReview(f"run {run_id[:8]} waits for your word: jamdub review {run_id[:8]}")
    form = AnswerForm.with_initial_data(description=page)
    answer = suspend_flow_run(wait_for_input=form, key=key)
    return Answer.model_validate(answer.model_dump())
