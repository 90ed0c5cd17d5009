"""GPT-2's four sizes on the Hugging Face hub: downloaded once, then read from the hub's cache."""

from pathlib import Path
from typing import NamedTuple

import httpx
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

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


def fetch(name: str) -> Path:
    """The folder that holds a hub model's files; what is not cached is downloaded.

    Raises:
        CheckpointError: it is not cached, and the hub cannot be reached or has no such file.
    """
    model = HUB_MODELS[name]
    try:
        for file in (CONFIG, WEIGHTS):
            path = Path(hf_hub_download(model.repository, file, revision=model.revision))
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"{name} is not in the cache, and huggingface.co cannot be reached. With a network, "
            f"`python -m lessons_lib download {name}` fetches it once ({model.megabytes:,} MB); "
            "without one, load_model takes the path of a folder with "
            f"{CONFIG} and {WEIGHTS}, or 'base'"
        ) from error
    except (HfHubHTTPError, httpx.HTTPError, OSError) as error:
        raise CheckpointError(f"{name} could not be downloaded: {error}") from error
    return path.parent
