"""A judge behind an OpenAI-compatible server: Ollama, vLLM, llama.cpp, others. Lesson 10.

Where the server is, which model and which key are arguments or environment variables; the key is
never written to disk. Point it at the largest model you can reach: small ones judge at chance.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from lessons_lib.judges import RUBRIC, judge_messages, parse_score
from lessons_lib.ranks import Score
from lessons_lib.reading import Entry
from lessons_lib.reply_cache import ReplyCache, hash_of
from lessons_lib.scorers import check_pairs

MODEL_VARIABLE = "LESSONS_LIB_JUDGE_MODEL"
URL_VARIABLE = "LESSONS_LIB_JUDGE_URL"
KEY_VARIABLE = "LESSONS_LIB_JUDGE_KEY"
OLLAMA = "http://127.0.0.1:11434/v1"
INSTALL = 'python -m pip install "openai>=3,<4"'


class JudgeError(RuntimeError):
    """A server that cannot judge; the message names server and model and says what to do."""


class ServerJudge:
    """A chat model on a server, asked for a number from 0 to 100 by a rubric.

    Args:
        model: the server's name for it, such as "llama3.1:70b"; else ``LESSONS_LIB_JUDGE_MODEL``.
        base_url: the server's address with its "/v1"; else ``LESSONS_LIB_JUDGE_URL``, else Ollama
            on this machine.
        api_key: else ``LESSONS_LIB_JUDGE_KEY``; servers of one's own mostly want none.
        rubric: what is graded and how; see ``judges.RUBRIC``.
        run: another number asks for all answers anew. To see how steady a judge is, compare run 0
            with run 1, at a ``temperature`` above 0.
        concurrency: so many requests are under way at once.
        retries: so often a request is repeated after "too many requests", an error of the server or
            a timeout, each time after a longer pause; the server's Retry-After is kept to.
        timeout: seconds until a request counts as failed.
        folder: where replies are kept; else in the project's cache folder.

    Raises:
        JudgeError: no model is named, or the package openai is not installed.
        ValueError: ``concurrency`` is below 1 or ``retries`` below 0.
    """

    def __init__(
        self,
        model: str | None = None,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        rubric: str = RUBRIC,
        temperature: float = 0.0,
        run: int = 0,
        concurrency: int = 4,
        retries: int = 4,
        timeout: float = 120.0,
        max_tokens: int = 16,
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
        self.base_url = (base_url or os.environ.get(URL_VARIABLE) or OLLAMA).rstrip("/")
        self.rubric, self.temperature, self.max_tokens = rubric, temperature, max_tokens
        self.run, self.concurrency, self.progress = run, concurrency, progress
        self.name = f"judge {self.model}"
        # The package fills in OPENAI_API_KEY where no key is given: never for another server.
        key = api_key or os.environ.get(KEY_VARIABLE) or "none"
        self._openai = _import_openai()
        self._client = self._openai.OpenAI(
            base_url=self.base_url, api_key=key, timeout=timeout, max_retries=retries
        )
        identity = self.base_url, self.model, rubric, temperature, max_tokens
        self.cache = ReplyCache(self.model, *identity, folder=folder)

    def score(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[Score]:
        """0 … 100 for each answer; None where the reply is no number. Raises as ``replies``."""
        return [parse_score(reply) for reply in self.replies(entries, answers)]

    def replies(self, entries: Sequence[Entry], answers: Sequence[str]) -> list[str]:
        """What the judge says to each answer, from the disk where it was asked before.

        The same question is asked once. Each reply is kept when it arrives: what an error or the
        stop button cuts off, another call goes on with.

        Raises:
            ValueError: not one answer an entry. JudgeError: the server does not answer, or refuses.
        """
        check_pairs(entries, answers)
        asked = [judge_messages(*pair, self.rubric) for pair in zip(entries, answers, strict=True)]
        keys = [hash_of(messages, self.run) for messages in asked]
        self.cache.reload()
        missing = {
            key: messages
            for key, messages in zip(keys, asked, strict=True)
            if key not in self.cache
        }
        self._ask_all(missing)
        return [self.cache[key] for key in keys]

    def _ask_all(self, missing: dict[str, Any]) -> None:
        pool = ThreadPoolExecutor(self.concurrency)
        futures = [pool.submit(self._ask, key, missing[key]) for key in missing]
        try:
            for future in self._shown(futures):
                future.result()
        except self._openai.OpenAIError as error:
            pool.shutdown(cancel_futures=True)  # those under way still arrive, and are kept
            there = sum(key in self.cache for key in missing)
            raise JudgeError(
                f"{self._explain(error)} {there} of {len(missing)} replies came before and are "
                "kept; run it again to go on."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)

    def _shown(self, futures: list[Future]) -> Iterable[Future]:
        """The futures as they end, behind a progress bar; none where nothing is to be asked."""
        hidden = not self.progress or not futures
        return tqdm(as_completed(futures), self.name, len(futures), leave=False, disable=hidden)

    def _ask(self, key: str, messages: list[dict[str, str]]) -> None:
        reply = self._client.chat.completions.create(
            model=self.model,
            messages=messages,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )
        choices = reply.choices or []
        self.cache.add(key, (choices[0].message.content or "") if choices else "")

    def _explain(self, error: Exception) -> str:
        """What went wrong and what to do, in two sentences."""
        known = self._openai
        at = f"{self.base_url} (model {self.model!r})"
        says = _first_line(error)
        advice: list[tuple[type, str]] = [
            (known.APITimeoutError, "took too long. Give it a longer timeout, or a smaller model."),
            (
                known.APIConnectionError,
                "does not answer. Is the server running (`ollama serve`, `vllm serve MODEL`, "
                f"`llama-server -m FILE`), and is that its address? {URL_VARIABLE} names another.",
            ),
            (
                known.AuthenticationError,
                f"wants a key, or another one. {KEY_VARIABLE} holds it.",
            ),
            (known.PermissionDeniedError, f"does not allow this key to do that. It says: {says}"),
            (
                known.NotFoundError,
                f"knows no such model, or no such address. {self._models()}",
            ),
            (
                known.RateLimitError,
                "still answers that there are too many requests. Wait, or lower concurrency.",
            ),
        ]
        for kind, sentence in advice:
            if isinstance(error, kind):
                return f"{at} {sentence}"
        return f"{at} refused. It says: {says}"

    def _models(self) -> str:
        """The models that the server has, as a sentence."""
        try:
            names = [model.id for model in self._client.with_options(max_retries=0).models.list()]
        except Exception:  # this was only to help
            return "Does the address end in /v1?"
        return f"It has: {', '.join(sorted(names)[:20]) or 'none'}."


def _import_openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise JudgeError(f"a judge on a server needs the package openai: {INSTALL}") from error
    return openai


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
