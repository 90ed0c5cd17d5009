"""One question to a server that speaks OpenAI's API, and what to do where that fails. Lesson 10.

Knows nothing of rubrics and scores; ``server`` does. A failure belongs either to one question
(``QuestionRefused``) or to server, model or key (``JudgeError``).
"""

import contextlib
import itertools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lessons_lib.support.table import printable

URL_VARIABLE = "LESSONS_LIB_JUDGE_URL"
KEY_VARIABLE = "LESSONS_LIB_JUDGE_KEY"
INSTALL = 'python -m pip install "openai>=3,<4"'

OF_THE_QUESTION = 400, 413, 422  # too long, or stopped by a filter: another question may do
UNSENT = 0  # the status of a question that did not come as far as the server
WORTH_ANOTHER_TRY = 408, 409, 429  # and every error of the server, 500 and above
CONNECTING = 5.0  # seconds; a server that is there accepts at once, and thinks afterwards
CONNECTION_RETRIES = 2  # a server that is not running will not be in a minute
FIRST_PAUSE, LONGEST_PAUSE, MOST_PATIENCE = 0.5, 8.0, 120.0  # seconds before another try


class JudgeError(RuntimeError):
    """A server that cannot judge; the message names server and model and says what to do."""


class QuestionRefused(RuntimeError):
    """The server does not answer this question; the message is its reason."""

    def __init__(self, reason: str, status: int):
        super().__init__(reason)
        self.status = status


class JudgeClient:
    """A model on a server. ``options`` go with each question: temperature and such.

    Raises:
        JudgeError: the key cannot be sent, or the package openai is not installed.
        ValueError: the address is none.
    """

    def __init__(
        self, model: str, base_url: str, key: str, *, retries: int, timeout: float, **options
    ):
        check_address(base_url)
        self.model, self.base_url = model, base_url
        self.retries, self.options = retries, options
        if not (key.isascii() and key.isprintable()):
            raise JudgeError(
                f"{self._place} cannot be sent this key: a key is plain ASCII. Copy it once more, "
                f"without what stands around it. {KEY_VARIABLE} may hold it."
            )
        self._openai = _import_openai()
        patience = self._openai.Timeout(timeout, connect=min(timeout, CONNECTING))
        # No retries of the package's own: they would wait as long for a server that is not there.
        self._client = self._openai.OpenAI(
            base_url=base_url, api_key=key, timeout=patience, max_retries=0
        )

    def ask(self, messages: Sequence[Mapping[str, str]], stop: threading.Event) -> str:
        """The model's reply. Once ``stop`` is set, a request that fails is not repeated.

        Raises:
            QuestionRefused: the server takes no such question. JudgeError: it answers none.
        """
        try:
            return self._read(self._send(messages, stop))
        except UnicodeEncodeError as error:
            reason = "It holds half a character, which cannot be sent."
            raise QuestionRefused(reason, UNSENT) from error
        except self._openai.OpenAIError as error:
            status = getattr(error, "status_code", 0)
            if status in OF_THE_QUESTION:
                raise QuestionRefused(_reason(error), status) from error
            raise JudgeError(self._explain(error)) from error

    def explain_refusals(self, reason: str) -> str:
        """What to say where the server refuses one question after another, for this reason."""
        return f"{self._place} refused every question. It says: {reason} {self._models()}"

    def _send(self, messages: Sequence[Mapping[str, str]], stop: threading.Event) -> str:
        """The body of the server's answer, read by nobody yet."""
        for tries in itertools.count():
            try:
                return self._client.chat.completions.with_raw_response.create(
                    model=self.model, messages=messages, **self.options
                ).text
            except self._openai.APIError as error:
                pause = self._pause(error, tries)
                if pause is None or stop.wait(pause):
                    raise
        raise AssertionError("the loop has no end")

    def _pause(self, error: Exception, tries: int) -> float | None:
        """Seconds until a failed request is repeated, None where it is not."""
        pause = min(FIRST_PAUSE * 2**tries, LONGEST_PAUSE)
        if self._is_not_there(error):
            return pause if tries < min(self.retries, CONNECTION_RETRIES) else None
        status = getattr(error, "status_code", None)
        passing = status is None or status in WORTH_ANOTHER_TRY or status >= 500
        if tries >= self.retries or not passing:
            return None
        response = getattr(error, "response", None)  # none after a timeout
        return pause if response is None else _asked_pause(response.headers, pause)

    def _is_not_there(self, error: Exception | None) -> bool:
        """Whether no connection came about, or it broke; not whether an answer took too long."""
        known = self._openai
        if isinstance(error, known.APITimeoutError):
            # By name: which package's error it is depends on the version of openai.
            return type(error.__cause__).__name__ == "ConnectTimeout"
        return isinstance(error, known.APIConnectionError)

    def _read(self, body: str) -> str:
        """The reply in the server's answer; an empty text where the model wrote none.

        Raises:
            JudgeError: there is no reply in it.
        """
        with contextlib.suppress(ValueError, LookupError, TypeError):
            content = json.loads(body)["choices"][0]["message"]["content"]
            if content is None or isinstance(content, str):
                return content or ""
        raise JudgeError(
            f"{self._place} answers, but not as a chat model: {_shortened(body)!r}. "
            "Does the address end in /v1?"
        )

    @property
    def _place(self) -> str:
        return f"{self.base_url} (model {self.model!r})"

    def _explain(self, error: Exception) -> str:
        """What went wrong and what to do, in two sentences."""
        known, says = self._openai, _reason(error)
        if self._is_not_there(error):
            return (
                f"{self._place} does not answer. Is the server running (`ollama serve`, "
                "`vllm serve MODEL`, `llama-server -m FILE`), and is that its address? "
                f"{URL_VARIABLE} names another."
            )
        advice: list[tuple[type, str]] = [
            (known.APITimeoutError, "took too long. Give it a longer timeout, or a smaller model."),
            (
                known.AuthenticationError,
                f"wants a key, or another one. {KEY_VARIABLE} holds it.",
            ),
            (known.PermissionDeniedError, f"does not allow this key to do that. It says: {says}"),
            (
                known.RateLimitError,
                f"still answers that there are too many requests: {says} Wait, "
                "or lower concurrency.",
            ),
        ]
        for kind, sentence in advice:
            if isinstance(error, kind):
                return f"{self._place} {sentence}"
        if isinstance(error, known.NotFoundError):
            return f"{self._place} knows no such model, or no such address. {self._models()}"
        return f"{self._place} refused. It says: {says}"

    def _models(self) -> str:
        """The models that the server has, as a sentence."""
        try:
            names = [model.id for model in self._client.models.list()]
        except Exception:  # this was only to help
            return "Does the address end in /v1?"
        return f"It has: {printable(', '.join(sorted(names)[:20])) or 'none'}."


def check_address(base_url: str) -> None:
    """Raise a ValueError unless this is the address of a server, http:// or https:// and all."""
    with contextlib.suppress(ValueError):  # brackets that do not match, a port that is no number
        parts = urlsplit(base_url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return
    raise ValueError(
        "the address of a judge's server is such as http://127.0.0.1:11434/v1, "
        f"with http:// or https:// before it, not {base_url!r}"
    )


def _asked_pause(headers: Mapping[str, str], pause: float) -> float | None:
    """How long to wait as the server wishes, in seconds; ``pause`` where it wishes nothing."""
    if headers.get("x-should-retry") == "false":  # OpenAI's: the account is empty
        return None
    for name, seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(ValueError):
            asked = float(headers.get(name, "")) * seconds
            if asked >= 0:
                return asked if asked <= MOST_PATIENCE else None
    return pause


def _reason(error: Exception) -> str:
    """What the server says, in its own words where it has the API's shape; with a full stop."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    text = said if isinstance(said, str) and said.strip() else str(error)
    line = _shortened(text) or type(error).__name__
    return line if line[-1] in ".!?…" else f"{line}."


def _shortened(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= 200 else f"{line[:199]}…"


def _import_openai() -> Any:
    try:
        import openai
    except ImportError as error:
        raise JudgeError(f"a judge on a server needs the package openai: {INSTALL}") from error
    return openai
