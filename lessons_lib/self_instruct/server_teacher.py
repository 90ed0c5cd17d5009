"""A teacher behind an OpenAI-compatible server, with a limit in tokens that holds beforehand.

Several requests are under way at once; the package openai repeats what may pass. What is asked of a
judge's server and what its failures mean is lesson 10's: ``evaluation.judges.client``.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from lessons_lib.data import text_ids
from lessons_lib.evaluation.judges.bodies import JudgeError, limit_async_body, note_begin, reply_in
from lessons_lib.evaluation.judges.client import (
    JudgeClient,
    QuestionRefused,
    without_what_is_refused,
)
from lessons_lib.evaluation.judges.server import OLLAMA
from lessons_lib.self_instruct.prompt import DecodingArguments
from lessons_lib.self_instruct.teachers import Completion, TeacherError, check_limit, most_tokens

URL_VARIABLE = "LESSONS_LIB_TEACHER_URL"
KEY_VARIABLE = "LESSONS_LIB_TEACHER_KEY"
MILLION = 1_000_000


class _Client(JudgeClient):
    role, kind = "teacher", "language model"
    url_variable, key_variable = URL_VARIABLE, KEY_VARIABLE


class ServerTeacher:
    """A model behind an OpenAI-compatible server: vLLM, llama.cpp, Ollama, others.

    Args:
        model: the server's name for it.
        base_url: the server's address with its "/v1"; else ``LESSONS_LIB_TEACHER_URL``, else Ollama
            on this machine.
        api_key: else ``LESSONS_LIB_TEACHER_KEY``; servers of one's own mostly want none.
        chat: send the prompt as a user's message. A model that was only tuned to chat needs that;
            else the prompt is continued as it is, as Alpaca had it.
        concurrency: how many requests are under way at once.
        retries: how often the package openai repeats a request that failed for a reason that may
            pass.
        timeout: seconds until a request counts as failed.
        token_limit: of prompts and replies together, as long as this teacher lives.
        prices: (for a million tokens of prompts, for a million tokens of replies), in any currency.

    Raises:
        TeacherError: the key cannot be sent, or openai is not installed. ValueError:
            ``concurrency`` is below 1, ``retries`` below 0, or the address is not one.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        chat: bool = False,
        concurrency: int = 4,
        retries: int = 4,
        timeout: float = 300.0,
        token_limit: int | None = None,
        prices: tuple[float, float] | None = None,
    ):
        if concurrency < 1 or retries < 0:
            raise ValueError("concurrency must be 1 or more, and retries 0 or more")
        self.name, self.chat, self.concurrency = model, chat, concurrency
        self.token_limit, self.prices = token_limit, prices
        self.prompt_tokens = self.completion_tokens = 0  # spent so far
        base_url = (base_url or os.environ.get(URL_VARIABLE) or OLLAMA).strip().rstrip("/")
        # Without a key the package would send OPENAI_API_KEY, which is not for this server.
        self._key = (api_key or os.environ.get(KEY_VARIABLE) or "").strip() or "none"
        self._retries, self._timeout = retries, timeout
        try:
            self._client = _Client(model, base_url, self._key, retries=retries, timeout=timeout)
        except JudgeError as error:
            raise TeacherError(str(error)) from error

    def most_cost(self, prompts: Sequence[str], arguments: DecodingArguments) -> float | None:
        """What these prompts cost at most; None without prices. See ``most_tokens``."""
        return self._cost(*most_tokens(prompts, arguments))

    @property
    def cost(self) -> float | None:
        """What was spent so far; None without prices."""
        return self._cost(self.prompt_tokens, self.completion_tokens)

    def _cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        if self.prices is None:
            return None
        return (prompt_tokens * self.prices[0] + completion_tokens * self.prices[1]) / MILLION

    def complete(
        self, prompts: list[str], arguments: DecodingArguments, seed: int
    ) -> list[Completion]:
        """Replies to each prompt. Few servers keep the promise that a seed gives the same ones.

        Where one request fails for good, all that are under way are given up.

        Raises:
            TeacherError: the server is down, refuses, or answers nonsense; or the limit might be
                passed, and nothing was sent.
        """
        spent = self.prompt_tokens + self.completion_tokens
        check_limit(self.token_limit, spent, prompts, arguments)
        # A notebook runs an event loop in its own thread, and there is one loop a thread.
        with ThreadPoolExecutor(1) as thread:
            try:
                asked = thread.submit(asyncio.run, self._ask_all(prompts, arguments, seed))
                replies = asked.result()
            except (JudgeError, QuestionRefused) as error:
                refused = isinstance(error, QuestionRefused)
                told = f"{self._client.server} refused. It says: {error}" if refused else str(error)
                raise TeacherError(told) from error
        return [completion for each in replies for completion in each]

    async def _ask_all(
        self, prompts: Sequence[str], arguments: DecodingArguments, seed: int
    ) -> list[list[Completion]]:
        import openai

        gate = asyncio.Semaphore(self.concurrency)
        options = {"model": self.name, "seed": seed, **_as_options(arguments)}

        async def note(request: Any) -> None:
            note_begin(request)

        async def limit(response: Any) -> None:
            limit_async_body(response, self._client.server, self._timeout)

        hooks = {"request": [note], "response": [limit]}
        async with openai.AsyncOpenAI(
            base_url=self._client.base_url,
            api_key=self._key,
            timeout=self._client.patience,
            max_retries=self._retries,
            http_client=openai.DefaultAsyncHttpxClient(event_hooks=hooks),
        ) as client:

            async def ask(prompt: str) -> list[Completion]:
                async with gate:
                    return await self._ask(client, prompt, options)

            return await asyncio.gather(*map(ask, prompts))

    async def _ask(self, client: Any, prompt: str, options: dict[str, Any]) -> list[Completion]:
        if self.chat:
            endpoint = client.chat.completions
            asked: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}]}
        else:
            endpoint, asked = client.completions, {"prompt": prompt}
        while True:
            try:
                with self._client.explaining():
                    answer = await endpoint.with_raw_response.create(**asked, **options)
                    found = self._read(answer.text, prompt)
            except QuestionRefused as refusal:
                options = without_what_is_refused(options, refusal)
            else:
                self.prompt_tokens += sum(each.prompt_tokens for each in found)
                self.completion_tokens += sum(each.completion_tokens for each in found)
                return found

    def _read(self, body: str, prompt: str) -> list[Completion]:
        """The replies in a server's answer. Tokens are counted here where the server does not.

        Raises:
            JudgeError: there is no reply in it.
        """
        try:
            answer = json.loads(body)
            choices = [
                (
                    reply_in(choice["message"]) if self.chat else choice["text"] + "",
                    choice.get("finish_reason") != "length",
                )
                for choice in answer["choices"]
            ]
            (first, *_) = choices
        # RecursionError: thousands of brackets in brackets.
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise JudgeError(self._client.explain_nonsense(body)) from error
        usage = answer.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        read, written = (usage.get(f"{of}_tokens") for of in ("prompt", "completion"))
        if not isinstance(read, int) or read < 0:
            read = len(text_ids(prompt))
        counts = [len(text_ids(text)) for text, _ in choices]
        if isinstance(written, int) and written >= 0:  # of all replies together
            counts = [written - written // len(choices) * (len(choices) - 1)]
            counts += [written // len(choices)] * (len(choices) - 1)
        return [
            Completion(text, stopped, 0 if index else read, count)
            for index, ((text, stopped), count) in enumerate(zip(choices, counts, strict=True))
        ]


def _as_options(arguments: DecodingArguments) -> dict[str, Any]:
    """The arguments as OpenAI's API names them; what changes nothing is not sent."""
    biases = {str(token_id): bias for token_id, bias in arguments.logit_bias.items()}
    options = asdict(arguments) | {"stop": list(arguments.stop), "logit_bias": biases}
    return {name: each for name, each in options.items() if each or name == "temperature"}
