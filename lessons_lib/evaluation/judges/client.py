"""One question to a server that speaks OpenAI's API, and what to do where that fails. Lesson 10.

Knows nothing of rubrics and scores; ``server`` does. The package openai repeats what may pass; a
failure that stays belongs either to one question (``QuestionRefused``) or to server, model or key
(``JudgeError``).
"""

import contextlib
import json
import re
import weakref
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from lessons_lib.evaluation.judges.bodies import (
    TOO_SLOW,
    JudgeError,
    limit_body,
    note_begin,
    reply_in,
)
from lessons_lib.support.table import printable

URL_VARIABLE = "LESSONS_LIB_JUDGE_URL"
KEY_VARIABLE = "LESSONS_LIB_JUDGE_KEY"
INSTALL = 'python -m pip install "openai>=3,<4"'

OF_THE_QUESTION = 400, 413, 422  # too long, or stopped by a filter: another question may do
UNSENT = 0  # the status of a question that never reached the server
CONNECTING = 5.0  # seconds; a server that is there accepts at once, and thinks afterwards
# How servers say that they do not take a parameter, or not with this value.
_REFUSES = re.compile(
    r"support|unknown|unrecogni[sz]ed|unexpected|not (allowed|permitted)|instead|deprecated|extra",
    re.IGNORECASE,
)


class QuestionRefused(RuntimeError):
    """The server does not answer this question; the message is its reason."""

    def __init__(self, reason: str, status: int, said: str = ""):
        super().__init__(reason)
        self.status, self.said = status, said  # all that the server said


class JudgeClient:
    """A model on a server. ``options`` go with each question: temperature and such; None is not
    sent.

    Where the server does not take ``max_tokens``, it gets ``max_completion_tokens``, and where it
    does not take a temperature, none: the question is asked again so, and all later ones are.

    Raises:
        JudgeError: the key cannot be sent, or the package openai is not installed.
        ValueError: the address is not one.
    """

    # What messages call it, and the variables they name; lesson 13's teachers have others.
    role, kind = "judge", "chat model"
    url_variable, key_variable = URL_VARIABLE, KEY_VARIABLE

    def __init__(
        self, model: str, base_url: str, key: str, *, retries: int, timeout: float, **options
    ):
        check_address(base_url, self.role)
        given = {name: value for name, value in options.items() if value is not None}
        self.options = {"model": model, **given}
        self.base_url = base_url
        self.server = f"{base_url} (model {model!r})"
        if not (key.isascii() and key.isprintable()):
            raise JudgeError(
                f"{self.server} cannot be sent this key: a key is plain ASCII. Copy it again, "
                f"without anything around it; {self.key_variable} may hold it."
            )
        self._openai = _import_openai(self.role)
        self.patience = self._openai.Timeout(timeout, connect=min(timeout, CONNECTING))
        limit = partial(limit_body, server=self.server, timeout=timeout)
        hooks = {"request": [note_begin], "response": [limit]}
        http = self._openai.DefaultHttpxClient(event_hooks=hooks)
        self._client = self._openai.OpenAI(
            base_url=base_url,
            api_key=key,
            timeout=self.patience,
            max_retries=retries,
            http_client=http,
        )
        weakref.finalize(self, http.close)

    def ask(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The model's reply; an empty text where it wrote none.

        Where it wrote none but thought, the thoughts after "<think>"; where it refused, its words
        after "Refusal: ".

        Raises:
            QuestionRefused: the server takes no such question. JudgeError: it answers none.
        """
        options = self.options
        while True:
            try:
                reply = self._ask_with(options, messages)
            except QuestionRefused as refusal:
                options = without_what_is_refused(options, refusal)
            else:
                self.options = options  # what was found out holds for all later questions
                return reply

    def _ask_with(self, options: Mapping[str, Any], messages: Sequence[Mapping[str, str]]) -> str:
        completions = self._client.chat.completions.with_raw_response
        with self.explaining():
            return self._read(completions.create(messages=messages, **options).text)

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Around a request: whatever fails in the package openai is raised as one sentence.

        Raises:
            QuestionRefused, JudgeError: as ``ask``.
        """
        openai = self._openai
        try:
            yield
        except UnicodeEncodeError as error:
            reason = "It holds half a character, which cannot be sent."
            raise QuestionRefused(reason, UNSENT) from error
        except openai.APIStatusError as error:
            if error.status_code in OF_THE_QUESTION:
                said = f"{error.message} {error.body}"
                raise QuestionRefused(_reason(error), error.status_code, said) from error
            raise JudgeError(f"{self.server} {self._explain(error)}".rstrip()) from error
        except openai.APIConnectionError as error:
            # By name: which package's error it is depends on the version of openai.
            connected = type(error.__cause__).__name__ != "ConnectTimeout"
            if isinstance(error, openai.APITimeoutError) and connected:
                advice = TOO_SLOW
            else:
                advice = (
                    "does not answer. Is the server running (`ollama serve`, `vllm serve MODEL`, "
                    "`llama-server -m FILE`), and is that its address? "
                    f"Set {self.url_variable} to use another."
                )
            raise JudgeError(f"{self.server} {advice}") from error

    def explain_refusals(self, reason: str) -> str:
        """What to say where the server refuses one question after another, for this reason."""
        told = f"{self.server} refused every question. It says: {reason} {self._models()}"
        return told.rstrip()

    def _read(self, body: str) -> str:
        """The reply in the server's answer.

        Raises:
            JudgeError: there is no reply in it.
        """
        # RecursionError: thousands of brackets in brackets.
        with contextlib.suppress(
            ValueError, LookupError, TypeError, AttributeError, RecursionError
        ):
            return reply_in(json.loads(body)["choices"][0]["message"])
        raise JudgeError(self.explain_nonsense(body))

    def explain_nonsense(self, body: str) -> str:
        """What to say where this answer holds no reply."""
        told = f"{self.server} answers, but not as a {self.kind}: {_shortened(body)!r}."
        return f"{told} {self._address_hint()}".rstrip()

    def _address_hint(self) -> str:
        return "" if self.base_url.endswith("/v1") else "Does the address end in /v1?"

    def _explain(self, error: Any) -> str:
        """What a server's status means and what to do, after the server's name."""
        match error.status_code:
            case 401:
                return f"wants a key, or a different one. Set {self.key_variable} to it."
            case 403:
                return f"does not allow this key to do that. It says: {_reason(error)}"
            case 404:
                return f"knows no such model, or no such address. {self._models()}"
            case 429:
                return (
                    f"still answers that there are too many requests: {_reason(error)} Wait, "
                    "or lower concurrency."
                )
        return f"refused. It says: {_reason(error)}"

    def _models(self) -> str:
        """The models that the server has, as a sentence."""
        try:
            client = self._client.with_options(max_retries=0)
            names = [model.id for model in client.models.list()]
        except Exception:  # this was only to help
            return self._address_hint()
        return f"It has: {printable(', '.join(sorted(names)[:20])) or 'none'}."


def check_address(base_url: str, role: str = "judge") -> None:
    """Raise a ValueError unless this is a server's whole address, with its http:// or https://."""
    with contextlib.suppress(ValueError):  # brackets that do not match, a port that is no number
        parts = urlsplit(base_url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return
    raise ValueError(
        f"the address of a {role}'s server is such as http://127.0.0.1:11434/v1, "
        f"with http:// or https:// before it, not {base_url!r}"
    )


def _reason(error: Any) -> str:
    """The server's own words, where its answer has the API's shape; ends in a full stop."""
    said = error.body.get("message") if isinstance(error.body, dict) else None
    text = said if isinstance(said, str) and said.strip() else error.message
    line = _shortened(text) or type(error).__name__
    return line if line[-1] in ".!?…" else f"{line}."


def without_what_is_refused(options: Mapping[str, Any], refusal: QuestionRefused) -> dict[str, Any]:
    """Options that the server may take after this refusal.

    Raises:
        QuestionRefused: the refusal itself, where it is not for an option that can be done without.
    """
    if _REFUSES.search(refusal.said):
        for name in ("max_tokens", "temperature", "seed"):
            if name in options and name in refusal.said:
                kept = {each: value for each, value in options.items() if each != name}
                renamed = {"max_completion_tokens": options[name]} if name == "max_tokens" else {}
                return kept | renamed
    raise refusal


def _shortened(text: str) -> str:
    line = printable(" ".join(text[:10_000].split()))
    return line if len(line) <= 200 else f"{line[:199]}…"


def _import_openai(role: str) -> Any:
    try:
        import openai
    except ImportError as error:
        raise JudgeError(f"a {role} on a server needs the package openai: {INSTALL}") from error
    return openai
