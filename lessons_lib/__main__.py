"""The course's commands: ``python -m lessons_lib check`` says whether this machine is ready."""

import argparse
import sys
from collections.abc import Sequence

from lessons_lib.environment import check_environment


def check(options: argparse.Namespace) -> int:
    report = check_environment()
    print(report)
    return 0 if report.ok else 1


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lessons_lib",
        description="From a file of instructions to a model that follows them.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = commands.add_parser("check", help="is this machine ready? one fix for each fault")
    command.set_defaults(run=check)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 when all is well."""
    options = build_parser().parse_args(arguments)
    return options.run(options)


if __name__ == "__main__":
    sys.exit(main())
