"""The shipped descriptor set: every file of the contract, with its comments."""

from __future__ import annotations

from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

import service

# The same place beside the packages, in the repository and where the wheel is installed.
_PLACE = "generated/descriptors/checkout.binpb"


def path() -> Path:
    """Return where the descriptor set lies."""
    return Path(service.__file__).resolve().parents[1] / _PLACE


def load() -> FileDescriptorSet:
    """Read the descriptor set."""
    return FileDescriptorSet.FromString(path().read_bytes())
