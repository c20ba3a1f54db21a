"""Pages of judgements that are not drawn: tests of verbs look at what would be on them."""

import sys
from types import ModuleType

import pytest

PAGE = "trimpot.reports.validation_page"


@pytest.fixture
def pages(monkeypatch):
    """What pages were asked for, in order."""
    asked = []
    module = ModuleType(PAGE)

    def judged_page(judged):
        asked.append(judged)
        return f"<html>{judged.title}</html>"

    module.judged_page = judged_page
    monkeypatch.setitem(sys.modules, PAGE, module)
    return asked
