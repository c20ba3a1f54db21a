"""A page for judgements where the real one is not there."""

import importlib.util
import sys
from types import ModuleType

import pytest

PAGE = "trimpot.reports.validation_page"


@pytest.fixture
def pages(monkeypatch):
    """What pages were drawn of, in order."""
    drawn = []
    there = importlib.util.find_spec(PAGE) is not None
    module = importlib.import_module(PAGE) if there else ModuleType(PAGE)
    real = getattr(module, "judged_page", lambda judged: f"<html>{judged.title}</html>")

    def judged_page(judged):
        drawn.append(judged)
        return real(judged)

    monkeypatch.setattr(module, "judged_page", judged_page, raising=False)
    monkeypatch.setitem(sys.modules, PAGE, module)
    return drawn
