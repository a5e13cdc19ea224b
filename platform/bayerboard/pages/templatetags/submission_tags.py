"""How templates ask for the lines of a list: the reader is known there."""

from __future__ import annotations

from django import template

from bayerboard.pages.lines import line_of, result_of

register = template.Library()
register.filter("line_for", line_of)
register.filter("result_for", result_of)
