"""The container image is built by the book."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT

HADOLINT = Path(sys.prefix) / "bin" / "hadolint"
DOCKERFILE = ROOT / "Dockerfile"


def test_dockerfile_is_clean() -> None:
    """The linter of image builds has no complaint."""
    command: list[str | Path] = [HADOLINT, "--no-color", DOCKERFILE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("instruction", ["USER 10001", "HEALTHCHECK", 'ENTRYPOINT ["checkout"]'])
def test_image_runs_the_service_as_nobody_in_particular(instruction: str) -> None:
    """The image names its command, its probe and a user that is not root."""
    final_stage = DOCKERFILE.read_text("utf-8").rpartition("FROM ")[2]
    assert f"\n{instruction}" in final_stage
