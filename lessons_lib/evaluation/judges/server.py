"""A judge behind an OpenAI-compatible server: Ollama, vLLM, llama.cpp, others. Lesson 10.

Where the server is, which model and which key are arguments or environment variables; the key is
never written to disk. Point it at the largest model you can reach: small ones judge at chance.
"""

import os
import re
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from lessons_lib.data import Entry
from lessons_lib.data.hub_tokenizer import Message
from lessons_lib.evaluation.judges.client import (
    KEY_VARIABLE,
    UNSENT,
    URL_VARIABLE,
    JudgeClient,
    JudgeError,
    QuestionRefused,
)
from lessons_lib.evaluation.judges.local import RUBRIC, judge_messages, parse_score, progress_bar
from lessons_lib.evaluation.judges.replies import ReplyCache, hash_of
from lessons_lib.evaluation.ranks import Score
from lessons_lib.evaluation.scorers import Scorer, check_pairs

MODEL_VARIABLE = "LESSONS_LIB_JUDGE_MODEL"
OLLAMA = "http://127.0.0.1:11434/v1"
# Where the server answered nothing yet and refused this many for one reason, it is at fault.
FEW = 5
Questions = Mapping[str, Sequence[Message]]  # by their keys in the cache


class ServerJudge(Scorer):
    """A chat model on a server, asked for a number from 0 to 100 by a rubric.

    Args:
        model: the server's name for it, such as "llama3.1:70b"; else ``LESSONS_LIB_JUDGE_MODEL``.
        base_url: the server's address with its "/v1"; else ``LESSONS_LIB_JUDGE_URL``, else Ollama
            on this machine.
        api_key: else ``LESSONS_LIB_JUDGE_KEY``; servers of one's own mostly want none.
        rubric: what is graded and how; see ``local.RUBRIC``.
        run: with another number all answers are judged again. To see how steady a judge is, compare
            run 0 with run 1, at a ``temperature`` above 0.
        concurrency: how many requests are under way at once.
        retries: how often the package openai repeats a request after "too many requests", an error
            of the server, a timeout or a failed connection, with longer and longer pauses; it
            respects the server's Retry-After.
        timeout: seconds until a request counts as failed, the whole of its answer included.
        temperature: how freely the model draws its words; None leaves it to the server, and so does
            a server that takes no temperature, which a warning says.
        max_tokens: how long a reply may be. Enough for a number; a model that thinks before it
            answers needs a thousand or more, or its replies are cut off before the number. None
            sets no limit. Newer servers want ``max_completion_tokens``, and get it.
        folder: where replies are kept; else in the project's cache folder.

    Raises:
        JudgeError: no model is named, the key cannot be sent, or openai is not installed.
        ValueError: ``concurrency`` is below 1, ``retries`` below 0, or the address is not one.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        rubric: str = RUBRIC,
        temperature: float | None = 0.0,
        run: int = 0,
        concurrency: int = 4,
        retries: int = 4,
        timeout: float = 120.0,
        max_tokens: int | None = 16,
        folder: str | Path | None = None,
        progress: bool = True,
    ):
        if concurrency < 1 or retries < 0:
            raise ValueError("concurrency must be 1 or more, and retries 0 or more")
        self.model = model or os.environ.get(MODEL_VARIABLE, "")
        if not self.model:
            raise JudgeError(
                f'name the model that judges: ServerJudge("llama3.1:70b"), or {MODEL_VARIABLE}'
            )
        base_url = (base_url or os.environ.get(URL_VARIABLE) or OLLAMA).strip().rstrip("/")
        self.base_url, self.rubric, self.run = base_url, rubric, run
        self.temperature, self.max_tokens = temperature, max_tokens
        self.concurrency, self.progress = concurrency, progress
        self.name = f"judge {self.model}"
        # Without a key the package would send OPENAI_API_KEY, which is not for this server.
        key = (api_key or os.environ.get(KEY_VARIABLE) or "").strip() or "none"
        asked_with = {"temperature": temperature, "max_tokens": max_tokens}
        self._client = JudgeClient(
            self.model, base_url, key, retries=retries, timeout=timeout, **asked_with
        )
        # As a float, since the temperatures 0 and 0.0 are the same.
        heat = None if temperature is None else float(temperature)
        identity = base_url, self.model, rubric, heat, max_tokens
        self.cache = ReplyCache(self.model, *identity, folder=folder)

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """0 … 100 for each answer; None where there is no reply, or no number in it.

        What a model thought before its reply, up to "</think>", is passed over. Warns about replies
        without a number, and about refused questions. Raises as ``replies``.
        """
        replies, problems = self._judged(entries, answers)
        scores = [None if reply is None else parse_score(spoken(reply)) for reply in replies]
        given = [pair for pair in zip(replies, scores, strict=True) if pair[0] is not None]
        unread = [reply for reply, score in given if score is None]
        decorated = [reply for reply in unread if re.search("[0-9]", spoken(reply))]
        numberless = [reply for reply in unread if reply not in decorated]
        if decorated:
            problems.append(
                f"{len(decorated)} of {len(given)} replies are not just a number from 0 to 100 "
                f"and are not guessed at; the first: {spoken(decorated[0]).strip()[:80]!r}."
            )
        if numberless:
            advice = "A model that thinks before it answers needs a larger max_tokens."
            silent = any(not spoken(reply).strip() for reply in numberless)
            problems.append(
                f"{len(numberless)} of {len(given)} replies hold no number; the first: "
                f"{numberless[0][:80]!r}. {advice if silent else ''}".rstrip()
            )
        if self.temperature is not None and "temperature" not in self._client.options:
            problems.append("the server takes no temperature; replies are drawn at its own.")
        self._warn(problems)
        return scores

    def replies(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[str | None]:
        """The judge's reply to each answer, from the disk where it was asked before.

        No question is asked twice, not even by several processes at the same time: one of them
        asks, and the others wait. Each reply is kept when it arrives, so after an error or the stop
        button another call asks only what is missing. Where the server refuses a single question,
        one that is too long, say, the reply is None, a warning gives the reason, and the others are
        asked. Where replies cannot be kept on the disk, a warning says so, and they last as long as
        this judge.

        Raises:
            ValueError: there is not one answer per entry. JudgeError: the server does not answer,
            or refuses every question.
        """
        replies, problems = self._judged(entries, answers)
        self._warn(problems)
        return replies

    def _judged(
        self, entries: Sequence[Entry], answers: Sequence[str]
    ) -> tuple[list[str | None], list[str]]:
        """The replies, and what to warn about."""
        check_pairs(entries, answers)
        asked = [judge_messages(*pair, self.rubric) for pair in zip(entries, answers, strict=True)]
        keys = [hash_of(messages, self.run) for messages in asked]
        questions = dict(zip(keys, asked, strict=True))
        refused: dict[str, QuestionRefused] = {}
        if self._missing(questions):
            with self.cache.asking():
                # Another process may have asked for some of them meanwhile.
                refused = self._ask_all(self._missing(questions))
        problems = []
        if refused:
            count = sum(key in refused for key in keys)
            problems.append(
                f"{count} of {len(keys)} answers were refused and have no score; the first reason: "
                f"{next(iter(refused.values()))}"
            )
        if self.cache.problem:
            problems.append(self.cache.problem)
            self.cache.problem = ""
        return [self.cache.get(key) for key in keys], problems

    def _missing(self, questions: Questions) -> Questions:
        self.cache.reload()
        return {key: asked for key, asked in questions.items() if key not in self.cache}

    def _ask_all(self, missing: Questions) -> dict[str, QuestionRefused]:
        """Ask, and keep what comes; returns which questions were refused."""
        refused: dict[str, QuestionRefused] = {}
        pool = ThreadPoolExecutor(self.concurrency)
        futures = {pool.submit(self._ask, key, missing[key]): key for key in missing}
        try:
            with progress_bar(self.name, len(futures), self.progress) as bar:
                for future in as_completed(futures):
                    try:
                        future.result()
                    except QuestionRefused as refusal:
                        refused[futures[future]] = refusal
                        self._check_refusals(list(refused.values()), len(missing))
                    bar.update()
        except JudgeError as error:
            pool.shutdown(cancel_futures=True)  # those under way still arrive, and are kept
            there = sum(key in self.cache for key in missing)
            raise JudgeError(
                f"{error} {there} of {len(missing)} replies came before and are kept; run it again "
                f"for the others. {self.cache.problem}".rstrip()
            ) from error.__cause__
        finally:
            pool.shutdown(cancel_futures=True)
        return refused

    def _ask(self, key: str, messages: Sequence[Message]) -> None:
        self.cache.add(key, self._client.ask(messages))

    def _check_refusals(self, refused: Sequence[QuestionRefused], asked: int) -> None:
        """Raise a JudgeError where it is not single questions that are at fault.

        Many servers answer 400 to a model's name that they do not know.
        """
        alike = len({refusal.status for refusal in refused}) == 1 and refused[0].status != UNSENT
        if alike and not len(self.cache) and len(refused) >= min(FEW, asked):
            raise JudgeError(self._client.explain_refusals(str(refused[0]))) from refused[0]

    def _warn(self, problems: Sequence[str]) -> None:
        for problem in problems:
            warnings.warn(f"{self.name}: {problem}", stacklevel=3)  # where score was called


def spoken(reply: str) -> str:
    """A reply without what the model thought before it: what follows the last "</think>"; of a
    thought that was cut off, nothing."""
    return reply.rpartition("</think>")[2].partition("<think>")[0]
