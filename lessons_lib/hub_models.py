"""GPT-2's four sizes on the Hugging Face hub: downloaded once, then read from the hub's cache."""

from pathlib import Path
from typing import NamedTuple

from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HfHubHTTPError

from lessons_lib.files import CheckpointError
from lessons_lib.gpt2_files import CONFIG, WEIGHTS


class HubModel(NamedTuple):
    """A model on the hub, at one revision: what is pinned cannot change under a lesson."""

    repository: str
    revision: str
    megabytes: int


HUB_MODELS = {
    "gpt2": HubModel("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e", 548),
    "gpt2-medium": HubModel(
        "openai-community/gpt2-medium", "6dcaa7a952f72f9298047fd5137cd6e4f05f41da", 1_520
    ),
    "gpt2-large": HubModel(
        "openai-community/gpt2-large", "32b71b12589c2f8d625668d2335a01cac3249519", 3_247
    ),
    "gpt2-xl": HubModel(
        "openai-community/gpt2-xl", "15ea56dee5df4983c59b2538573817e1667135e2", 6_431
    ),
}
SECONDS = 10  # to wait for the hub's first answer


def fetch(name: str) -> Path:
    """The folder that holds a hub model's files; what is not cached is downloaded.

    Raises:
        CheckpointError: it is not cached, and the hub cannot be reached or refuses.
    """
    paths = [cached(name, file) or _download(name, file) for file in (CONFIG, WEIGHTS)]
    return paths[-1].parent


def cached(name: str, file: str = WEIGHTS) -> Path | None:
    """Where a hub model's file lies on this machine; None where it was never downloaded.

    Nobody is asked: the revision is pinned, so what is cached cannot be out of date.
    """
    model = HUB_MODELS[name]
    path = try_to_load_from_cache(model.repository, file, revision=model.revision)
    return Path(path) if isinstance(path, str) else None


def _download(name: str, file: str) -> Path:
    model = HUB_MODELS[name]
    try:
        # One question first: a download asks again and again, for minutes, where nobody answers.
        get_hf_file_metadata(
            hf_hub_url(model.repository, file, revision=model.revision), timeout=SECONDS
        )
    except HfHubHTTPError as error:
        raise CheckpointError(f"the hub does not give {name}'s {file}: {error}") from error
    except Exception as error:  # the HTTP library and its errors differ between versions of the hub
        raise CheckpointError(
            f"{name} is not in the cache, and the Hugging Face hub cannot be reached. With a "
            f"network, `python -m lessons_lib download {name}` fetches it once "
            f"({model.megabytes:,} MB); without one, load_model takes 'base', or the path of a "
            f"folder with {CONFIG} and {WEIGHTS}"
        ) from error
    try:
        return Path(hf_hub_download(model.repository, file, revision=model.revision))
    except Exception as error:
        raise CheckpointError(
            f"{name}'s {file} could not be downloaded: {error}; nothing of it is used, try again"
        ) from error
