"""What can be typed after ``python -m lessons_lib``; ``lessons_lib.__main__`` does it.

Imports nothing that needs PyTorch: ``check`` must run where it is broken.
"""

import argparse
import os
from pathlib import Path

from lessons_lib.support.reply_options import NUMBERS, ReplyOptions, parse_option, typed_name

HUB_NAMES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
FETCHED = ("entries", *HUB_NAMES)
EXPECTATIONS = ("all", "response", "keep-header", "assistant")  # as in ``labels.linter``
FORMAT = "--format", "--prompt-format"  # one option
# For pretrained models of GPT-2's sizes; the recipe's own rate is that of the small base model.
LARGE_MODEL_RATE = 5e-5


def build_parser() -> argparse.ArgumentParser:
    """A parser of all commands; ``command`` is then the name of the one that was typed."""
    parser = argparse.ArgumentParser(
        prog="python -m lessons_lib",
        description="From a file of instructions to a model that follows them.",
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, dest="command"
    )

    command = commands.add_parser("check", help="is this machine ready? one fix for each fault")

    command = commands.add_parser("work", help="make your own copies of the lessons, or say of one")
    command.add_argument("lesson", nargs="?", help="its number, such as 05; default: all")

    command = commands.add_parser("reset", help="a fresh copy of one lesson; the old one is kept")
    command.add_argument("lesson", help="its number, such as 05")

    command = commands.add_parser("finetune", help="lesson 09's run without a notebook")
    command.add_argument(
        "--entries", default="bundled", help='"bundled", "book" (downloaded once), a file, or a URL'
    )
    command.add_argument(
        "--model",
        default="base",
        help='"base", "base-without-facts", "mine", "gpt2", "smollm2", a file, or a folder',
    )
    command.add_argument("--epochs", type=_count, help="default: 3")
    command.add_argument(
        "--learning-rate",
        type=_rate,
        help=f"default: the recipe's for the bundled models, {LARGE_MODEL_RATE:g} for others",
    )
    command.add_argument(
        "--mask", choices=("none", "prompt", "keep-header"), help="default: prompt"
    )
    command.add_argument(*FORMAT, help='the prompt format, such as "phi3"; default: alpaca')
    command.add_argument("--seed", type=int, help="default: 123")
    command.add_argument("--out", type=_path, required=True, help="folder for all that is made")
    command.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    command.add_argument(
        "--checkpoint-every", type=_count, default=50, metavar="N", help="optimizer steps"
    )

    command = commands.add_parser("card", help="model card and data card of a finished run")
    command.add_argument("folder", type=_path, metavar="RUN_FOLDER", help="finetune's --out folder")

    command = commands.add_parser("ask", help="put an instruction to a model")
    command.add_argument("instruction")
    command.add_argument("--input", default="")
    command.add_argument("--model", required=True, help="as for finetune; its --out folder, say")
    command.add_argument(
        *FORMAT, help="in which the model was trained; default: what its run noted, else alpaca"
    )
    _add_number(command, "max_new_tokens", default=64)

    command = commands.add_parser("chat", help="talk to a model in the terminal")
    _add_chat_options(command)

    command = commands.add_parser("serve", help="a page to chat on, and OpenAI's API, on loopback")
    _add_chat_options(command)
    command.add_argument("--port", type=_port, default=8000)
    command.add_argument("--host", default="127.0.0.1", help="another one lets others in")
    command.add_argument("--api-key", metavar="KEY", help="answer only those who send this key")

    command = commands.add_parser("grade", help="grade a class: a folder of notebooks")
    command.add_argument("folder", type=_path, help="a folder or a notebook for each student")
    command.add_argument("--seed", type=int, help="of the fresh inputs; default: drawn and told")
    command.add_argument(
        "--out", type=_path, default=Path("grades"), help="for marks.csv and mistakes.png"
    )
    command.add_argument("--seconds", type=_count, default=120, help="for a notebook (120)")
    command.add_argument("--memory", type=_count, default=2048, help="megabytes (2048)")
    command.add_argument("--file-size", type=_count, default=16, help="megabytes of a file (16)")
    command.add_argument("--jobs", type=_count, default=2, help="notebooks at once (2)")

    command = commands.add_parser(
        "lint",
        help="what is wrong with labels, of any trainer; fails if something is",
        description="Rows with input_ids and labels: .jsonl, .json, .parquet, .pt, or a folder "
        "that datasets saved. The exit status is 0 where nothing is found, 1 where something is, 2 "
        "where something cannot be read.",
    )
    command.add_argument("files", nargs="+", type=_path, metavar="FILE")
    command.add_argument(
        "--tokenizer",
        required=True,
        help='with which the rows were made: "gpt2", "smollm2", a folder, or a name of the hub',
    )
    command.add_argument("--expect", choices=EXPECTATIONS, help="what the labels are to teach")
    command.add_argument(
        "--shifts-inside",
        choices=("yes", "no"),
        help="does the model shift labels, as those of transformers do? finds double shifts",
    )
    command.add_argument(
        "--rows", type=_count, default=256, help="the most rows read of a file (256)"
    )

    command = commands.add_parser("download", help="fetch what a class will need, once")
    command.add_argument(
        "what",
        nargs="*",
        type=_fetched,
        metavar="WHAT",
        help=f"of {', '.join(FETCHED)}; default: entries gpt2",
    )
    return parser


def _add_chat_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", help="as for finetune; its --out folder, say")
    command.add_argument(
        "--recipe", default="lesson-09", help="without --model: trained once (default: lesson-09)"
    )
    command.add_argument(
        *FORMAT,
        help="the prompt format that the model was trained on; default: what its run noted, else "
        "its own chat template, else alpaca",
    )
    command.add_argument(
        "--memory", action="store_true", help="earlier turns stand before each message"
    )
    for name, default in vars(ReplyOptions()).items():
        if name in NUMBERS:
            _add_number(command, name, default)


def _add_number(command: argparse.ArgumentParser, name: str, default: float | int | None) -> None:
    """An option of a reply."""

    def parse(text: str) -> float | int | None:
        try:
            return parse_option(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    shown = "off" if default is None else f"{default:g}"
    command.add_argument(
        f"--{typed_name(name)}",
        type=parse,
        default=default,
        help=f"{NUMBERS[name].help} (default: {shown})",
    )


def _path(text: str) -> Path:
    """A path; shells leave the ~ of --out=~/run as it is."""
    return Path(os.path.expanduser(text))


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


def _port(text: str) -> int:
    if not text.strip().isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 65535, not {text!r}")
    return int(text)


def _fetched(text: str) -> str:
    if text not in FETCHED:
        raise argparse.ArgumentTypeError(f"is one of {', '.join(FETCHED)}, not {text!r}")
    return text
