"""The course's commands: ``check``, ``finetune``, ``ask``, ``chat``, ``serve``, ``download``.

``python -m lessons_lib --help`` lists them.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from lessons_lib.environment import check_environment

# Other modules are imported where they are needed: ``check`` must run where PyTorch is broken.
HUB_NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
FETCHED = ("entries", *HUB_NAMES)
# For pretrained models of GPT-2's sizes; the recipe's own rate is that of the small base model.
LARGE_MODEL_RATE = 5e-5
INTERRUPTED = 130  # what shells report after Ctrl-C


def check(options: argparse.Namespace) -> int:
    report = check_environment()
    print(report)
    return 0 if report.ok else 1


def finetune(options: argparse.Namespace) -> int:
    from lessons_lib.recipes import get_recipe
    from lessons_lib.run_folder import run_in_folder

    recipe = get_recipe("lesson-09")
    rate = None if options.model == "base" else LARGE_MODEL_RATE
    chosen = {
        "model": options.model,
        "entries": _entries(options.entries),
        "epochs": options.epochs,
        "learning_rate": options.learning_rate or rate,
        "instruction_mask": options.mask,
        "seed": options.seed,
    }
    recipe = dataclasses.replace(
        recipe, **{name: value for name, value in chosen.items() if value is not None}
    )
    history = run_in_folder(
        recipe, options.out, resume=options.resume, checkpoint_every=options.checkpoint_every
    )
    return INTERRUPTED if history.interrupted else 0


def ask(options: argparse.Namespace) -> int:
    from lessons_lib.checkpoints import load_model
    from lessons_lib.generation import respond

    entry = {"instruction": options.instruction, "input": options.input, "output": ""}
    print(respond(load_model(options.model), entry, max_new_tokens=options.max_new_tokens))
    return 0


def chat(options: argparse.Namespace) -> int:
    from lessons_lib.terminal_chat import chat_in_terminal

    model, name, chosen = _chat_model(options)
    print(f"You talk to {name}.")
    chat_in_terminal(_new_chat(model, chosen, options))
    return 0


def serve(options: argparse.Namespace) -> int:
    from lessons_lib.serve import create_app, run_server

    model, name, chosen = _chat_model(options)
    _new_chat(model, chosen, options)  # what is wrong with an option is said now
    app = create_app(
        model,
        name,
        format=chosen,
        memory=options.memory,
        temperature=options.temperature,
        max_new_tokens=options.max_new_tokens,
        host=options.host,
    )
    run_server(app, options.host, options.port)
    return 0


def _chat_model(options: argparse.Namespace) -> tuple:
    """The model to talk to, its name, and the prompt format it was trained on."""
    from pathlib import PurePath

    from lessons_lib.checkpoints import load_model
    from lessons_lib.finetuning import load_or_finetune
    from lessons_lib.recipes import RECIPES

    if options.model is not None:
        model = load_model(options.model)
        own = hasattr(getattr(model, "tokenizer", None), "chat_ids")
        name = PurePath(options.model).name or options.model
        return model, name, options.format or ("own" if own else "alpaca")
    if options.recipe not in RECIPES:
        raise ValueError(f"no recipe {options.recipe!r}; there are: {', '.join(RECIPES)}")
    found = load_or_finetune(options.recipe)
    return found.model, options.recipe, options.format or found.recipe.prompt_format


def _new_chat(model, chosen: str, options: argparse.Namespace):
    from lessons_lib.chat import Chat

    return Chat(
        model,
        chosen,
        memory=options.memory,
        temperature=options.temperature,
        max_new_tokens=options.max_new_tokens,
    )


def download(options: argparse.Namespace) -> int:
    from lessons_lib.data import load_entries
    from lessons_lib.hub_models import fetch

    for name in options.what or ("entries", "gpt2"):
        if name == "entries":
            print(f"entries: {len(load_entries(_entries('book'))):,} of the book", flush=True)
        else:
            print(f"{name}: {fetch(name)}", flush=True)
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lessons_lib",
        description="From a file of instructions to a model that follows them.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("check", help="is this machine ready? one fix for each fault")
    command.set_defaults(run=check)

    command = commands.add_parser("finetune", help="lesson 09's run without a notebook")
    command.add_argument(
        "--entries", default="bundled", help='"bundled", "book" (downloaded once), a file, or a URL'
    )
    command.add_argument(
        "--model", default="base", help='"base", "gpt2", "smollm2", a file, or a folder'
    )
    command.add_argument("--epochs", type=_count, help="default: 3")
    command.add_argument(
        "--learning-rate",
        type=_rate,
        help=f'default: the recipe\'s for "base", {LARGE_MODEL_RATE:g} for others',
    )
    command.add_argument(
        "--mask", choices=("none", "prompt", "keep-header"), help="default: prompt"
    )
    command.add_argument("--seed", type=int, help="default: 123")
    command.add_argument("--out", type=Path, required=True, help="folder for all that is made")
    command.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    command.add_argument(
        "--checkpoint-every", type=_count, default=50, metavar="N", help="optimizer steps"
    )
    command.set_defaults(run=finetune)

    command = commands.add_parser("ask", help="put an instruction to a model")
    command.add_argument("instruction")
    command.add_argument("--input", default="")
    command.add_argument("--model", required=True, help="as for finetune; its --out folder, say")
    command.add_argument("--max-new-tokens", type=_count, default=64)
    command.set_defaults(run=ask)

    command = commands.add_parser("chat", help="talk to a model in the terminal")
    _add_chat_options(command)
    command.set_defaults(run=chat)

    command = commands.add_parser("serve", help="a page to chat on, and OpenAI's API, on loopback")
    _add_chat_options(command)
    command.add_argument("--port", type=_port, default=8000)
    command.add_argument("--host", default="127.0.0.1", help="another one lets others in")
    command.set_defaults(run=serve)

    command = commands.add_parser("download", help="fetch what a class will need, once")
    command.add_argument(
        "what",
        nargs="*",
        type=_fetched,
        metavar="WHAT",
        help=f"of {', '.join(FETCHED)}; default: entries gpt2",
    )
    command.set_defaults(run=download)
    return parser


def _add_chat_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="as for finetune; its --out folder, say")
    command.add_argument(
        "--recipe", default="lesson-09", help="without --model: trained once (default: lesson-09)"
    )
    command.add_argument("--format", help="the prompt format that the model was trained on")
    command.add_argument("--memory", action="store_true", help="earlier turns come before each")
    command.add_argument(
        "--temperature", type=_temperature, default=0.0, help="default: 0, the likeliest token"
    )
    command.add_argument("--max-new-tokens", type=_count, default=128, help="default: 128")


def _entries(name: str) -> str:
    """What ``load_entries`` takes; "book" stands for the book's URL."""
    from lessons_lib.data import BOOK_ENTRIES

    return BOOK_ENTRIES if name == "book" else name


def _count(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError(f"must be a number between 0 and 1, not {text!r}")
    return rate


def _temperature(text: str) -> float:
    try:
        temperature = float(text)
    except ValueError:
        temperature = -1.0
    if not 0 <= temperature <= 2:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 2, not {text!r}")
    return temperature


def _port(text: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535, not {text!r}")
    return int(text)


def _fetched(text: str) -> str:
    if text not in FETCHED:
        raise argparse.ArgumentTypeError(f"is one of {', '.join(FETCHED)}, not {text!r}")
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    options = build_parser().parse_args(arguments)
    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
