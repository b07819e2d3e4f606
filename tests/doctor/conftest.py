"""Fixtures of the doctor's tests."""

import pytest

from service.doctor import examination

PATIENCE = 60.0


@pytest.fixture(autouse=True)
def patient_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slow machine finish every check."""
    monkeypatch.setattr(examination, "LIMIT", PATIENCE)
