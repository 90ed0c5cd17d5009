"""Teachers: whoever goes on with a list of tasks; a model on this machine, or a recording of one.

A teacher continues prompts and says how many tokens that took. ``server_teacher`` has the one that
may cost money.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from lessons_lib.data import VOCABULARY_SIZE, Tokenizer, text_ids, tokenizer_of
from lessons_lib.generation import generate_all
from lessons_lib.models import LanguageModel, load_model
from lessons_lib.self_instruct.prompt import DecodingArguments
from lessons_lib.support.devices import has_fast_bf16, pick_device


class Completion(NamedTuple):
    """What a teacher wrote after one prompt."""

    text: str  # without the prompt, and without the text that stopped it
    stopped: bool  # False where the limit of tokens cut it off
    prompt_tokens: int  # 0 for the second and later replies to one prompt
    completion_tokens: int


class TeacherError(RuntimeError):
    """A teacher that cannot go on; the message says in a sentence why, and what to do."""


class RunError(ValueError):
    """Files of a run that cannot be used so; says why, and what to do."""


class Teacher(Protocol):
    """What goes on with prompts; ``name`` is written beside all that it wrote."""

    name: str

    def complete(
        self, prompts: list[str], arguments: DecodingArguments, seed: int
    ) -> list[Completion]:
        """``arguments.n`` replies to each prompt, those to the first prompt first.

        Raises:
            TeacherError: there are none.
        """
        ...


def most_tokens(prompts: Sequence[str], arguments: DecodingArguments) -> tuple[int, int]:
    """(tokens of the prompts, tokens of the replies if each is as long as it may be).

    Prompts are counted with GPT-2's tokenizer. Another vocabulary may need some more or fewer.
    """
    read = sum(len(text_ids(prompt)) for prompt in prompts)
    return read, len(prompts) * arguments.n * arguments.max_tokens


def check_limit(
    limit: int | None, spent: int, prompts: Sequence[str], arguments: DecodingArguments
) -> None:
    """Raise a TeacherError where these prompts, with ``spent`` tokens before, may pass the limit.

    Nothing has been sent then. None is no limit.
    """
    most = sum(most_tokens(prompts, arguments))
    if limit is not None and spent + most > limit:
        raise TeacherError(
            f"the limit is {limit:,} tokens, {spent:,} are spent, and the next {len(prompts)} "
            f"prompt(s) may take up to {most:,}, so they were not sent: raise the limit, or lower "
            "max_tokens."
        )


class LocalTeacher:
    """A model on this machine that continues the prompt as it is, without any chat template.

    Args:
        model: used where and as it is; else SmolLM2, on ``device``, in bfloat16 where the hardware
            multiplies that.
        name: what is written beside its replies.
        batch_size: how many prompts are continued at once.

    Raises:
        CheckpointError: SmolLM2 is not installed.
    """

    def __init__(
        self,
        model: LanguageModel | None = None,
        name: str = "smollm2",
        *,
        batch_size: int = 8,
        device: str | torch.device = "auto",
    ):
        self.name, self.batch_size = name, batch_size
        if model is None:  # now, so that no run's seconds have the loading in them
            device = pick_device(device)
            model = load_model("smollm2", device)
            if has_fast_bf16(device):
                model.to(torch.bfloat16)
        self.model = model

    def complete(
        self, prompts: Sequence[str | list[int]], arguments: DecodingArguments, seed: int
    ) -> list[Completion]:
        """Replies to each prompt; the same seed gives the same ones on the same machine.

        A prompt is a text, or token ids where special tokens stand in it.
        A bias on a token that is not in the model's vocabulary, as Alpaca's on 50256 in SmolLM2's
        of 49,152, does nothing here either.

        Raises:
            ValueError: a penalty, or a bias on one of the model's tokens, of which the course's
                decoding knows none; a prompt fills the model's context.
        """
        tokenizer = tokenizer_of(self.model)
        _check_known(arguments, tokenizer)
        asked = [prompt for prompt in prompts for _ in range(arguments.n)]
        generated = generate_all(
            self.model,
            asked,
            max_new_tokens=arguments.max_tokens,
            temperature=arguments.temperature,
            top_p=arguments.top_p,
            seed=seed,
            stop=arguments.stop,
            batch_size=self.batch_size,
        )
        read = [
            len(text_ids(prompt, tokenizer) if isinstance(prompt, str) else prompt)
            for prompt in asked
        ]
        return [
            Completion(
                each.text,
                each.stopped,
                0 if index % arguments.n else tokens,
                len(each.token_ids),
            )
            for index, (each, tokens) in enumerate(zip(generated, read, strict=True))
        ]


def _check_known(arguments: DecodingArguments, tokenizer: Tokenizer) -> None:
    if arguments.presence_penalty or arguments.frequency_penalty:
        raise ValueError("a model on this machine knows no penalties; set both to 0")
    size = getattr(tokenizer, "vocabulary_size", VOCABULARY_SIZE)
    known = [each for each in arguments.logit_bias if each < size]
    if known:
        raise ValueError(
            f"a model on this machine takes no logit_bias, not on token {known[0]}; leave it out: "
            "logit_bias={}"
        )


class RecordedTeacher:
    """The replies in the file of an earlier run, for reading along: nothing is generated.

    ``name`` says that they are recorded, and who wrote them.

    Args:
        path: ``requests.jsonl`` of a run's folder; see ``run``.

    Raises:
        RunError: there is no such file, or a line of it is no request of a run.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        requests = read_requests(self.path)
        if not requests:
            raise RunError(f"{path} holds no recorded replies.")
        self._replies = {
            _asked(each["prompts"], each["arguments"], each["seed"]): each["completions"]
            for each in requests
        }
        names = sorted({each["teacher"] for each in requests})
        self.name = f"recorded: {', '.join(names)}"

    def complete(
        self, prompts: list[str], arguments: DecodingArguments, seed: int
    ) -> list[Completion]:
        """What was written then, after the same prompts, with the same arguments and seed.

        Raises:
            TeacherError: something else was asked then.
        """
        found = self._replies.get(_asked(prompts, asdict(arguments), seed))
        if found is None:
            raise TeacherError(
                f"{self.path} holds no reply to this request: its {len(self._replies)} were made "
                "with other seed tasks, arguments or another seed, or come to an end here."
            )
        return found


def _asked(prompts: Sequence[str], arguments: dict[str, Any], seed: int) -> tuple:
    return tuple(prompts), json.dumps(arguments, sort_keys=True), seed


def read_requests(path: Path) -> list[dict[str, Any]]:
    """The requests of a run, one a line, as ``run`` writes them; none where there is no file.

    Their ``completions`` are Completions, and so are their ``answers``, which only ``magpie`` has:
    one for each completion, or None. A last line that was cut off, by a kill, is passed over.

    Raises:
        RunError: a line is no request of a run; names file and line.
    """
    content = path.read_bytes() if path.exists() else b""
    requests = []
    # Not splitlines: only the line end that was written ends a line.
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            request = json.loads(line)
            completions = [Completion(*each) for each in request["completions"]]
            answers = [
                None if each is None else Completion(*each) for each in request.get("answers", [])
            ]
            if answers and len(answers) != len(completions):
                raise ValueError("an answer, or null, is wanted for each completion")
            replies = [*completions, *filter(None, answers)]
            kinds = [(type(value) for value in each) for each in replies]
            if any(tuple(each) != (str, bool, int, int) for each in kinds):
                raise TypeError("a reply is a text, whether it stopped, and two numbers of tokens")
            _asked(request["prompts"], request["arguments"], request["seed"])
            requests.append(
                request
                | {"completions": completions, "answers": answers}
                | {"teacher": str(request["teacher"]), "seconds": float(request["seconds"])}
            )
        except (ValueError, LookupError, TypeError) as error:
            raise RunError(
                f"{path}, line {number} is no request of a run: delete the lines from there on, "
                "and they are asked anew."
            ) from error
    return requests
