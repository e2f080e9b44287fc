"""The generated documentation is what the code says."""

from __future__ import annotations

from pathlib import Path

from lithium_script.documentation import SETTINGS_PAGE, settings_page

CHECKOUT = Path(__file__).parents[2]


def test_settings_page_is_up_to_date() -> None:
    assert (CHECKOUT / SETTINGS_PAGE).read_text(encoding="utf-8") == settings_page(), "run: make docs"
