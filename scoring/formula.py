"""Arithmetic that an organiser writes into a protocol: numbers, names and a few functions, and nothing else.

Python's parser reads the text, but nothing of it is ever executed by Python: the tree is checked against a short
list of allowed nodes, and walked here, in float64.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_CHARACTERS = 500
MAX_DEPTH = 40

_ALLOWED = re.compile(r"[A-Za-z0-9_+\-*/(),. ]*")
_OPERATORS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    # Not Python's own, which makes complex numbers of negative ones.
    ast.Pow: math.pow,
}
# Name → function and the number of its arguments; None for one or more.
_FUNCTIONS: Mapping[str, tuple[Callable[..., float], int | None]] = {
    "min": (lambda *values: min(values), None),
    "max": (lambda *values: max(values), None),
    "abs": (abs, 1),
    "sqrt": (math.sqrt, 1),
    "exp": (math.exp, 1),
    "log": (math.log, 1),
    "log2": (math.log2, 1),
    "log10": (math.log10, 1),
}
FUNCTION_NAMES = tuple(_FUNCTIONS)


class FormulaError(ValueError):
    """The text is not a formula; the message says why, without the text itself."""


class UndefinedValueError(ArithmeticError):
    """A formula has no finite value for these values of its names; the message says why."""


@dataclass(frozen=True)
class Formula:
    """An expression that was checked: ``2^(2·psnr) / (1.1e12 · runtime_ms)``.

    Attributes
    ----------
    text
        As the organiser wrote it.
    names
        The names that it needs a value for.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Check a text of at most 500 characters: + − * / ^ ( ), numbers, names, and min, max, abs, sqrt, exp, log….

        ``^`` and ``**`` are powers, ``·`` and ``×`` are products.

        Raises
        ------
        FormulaError
            It is too long or too deep, not arithmetic, or holds anything else.
        """
        if len(text) > MAX_CHARACTERS:
            raise FormulaError(f"is longer than {MAX_CHARACTERS} characters")
        # Before it is parsed, as Python's own ^ binds less tightly than a sum.
        plain = text.replace("^", "**").replace("·", "*").replace("×", "*").strip()
        if not _ALLOWED.fullmatch(plain):
            raise FormulaError("holds a character that no formula needs")
        try:
            tree = ast.parse(plain, mode="eval").body
        except (SyntaxError, MemoryError, RecursionError) as error:
            raise FormulaError("is not arithmetic that can be understood") from error
        names: set[str] = set()
        _check(tree, names, MAX_DEPTH)
        return cls(text, frozenset(names), tree)

    def evaluate(self, values: Mapping[str, float]) -> float:
        """Return the value in float64.

        Raises
        ------
        KeyError
            A name has no value.
        UndefinedValueError
            A division by zero, a root or logarithm of a negative number, or a result beyond float64.
        """
        try:
            return _finite(_evaluate(self._tree, values))
        except ZeroDivisionError as error:
            raise UndefinedValueError("it divides by zero") from error
        except OverflowError as error:
            raise UndefinedValueError("a number in it becomes too large") from error
        except ValueError as error:
            raise UndefinedValueError("a root, power or logarithm in it has no real value") from error


def _check(node: ast.expr, names: set[str], depth: int) -> None:
    """Refuse a node that is not listed here, and collect the names."""
    if depth == 0:
        raise FormulaError(f"is nested more than {MAX_DEPTH} deep")
    inner: list[ast.expr] = []
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if value > 1e300:
                raise FormulaError("holds a number that is too large")
        case ast.Name(id=name):
            if name in _FUNCTIONS:
                raise FormulaError(f"uses the function {name} without ( )")
            names.add(name)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            inner = [operand]
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            inner = [left, right]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            count = _FUNCTIONS[name][1]
            if not arguments or count not in (None, len(arguments)):
                raise FormulaError(f"gives {name} a wrong number of values")
            inner = arguments
        case ast.Call(func=ast.Name(id=name)):
            raise FormulaError(f"uses {name}( ), which is none of {', '.join(FUNCTION_NAMES)}")
        case _:
            raise FormulaError("holds something other than numbers, names, + - * / ^ and ( )")
    for part in inner:
        _check(part, names, depth - 1)


def _evaluate(node: ast.AST, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]  # the check let numbers through only
        case ast.Name(id=name):
            return float(values[name])
        case ast.UnaryOp(op=operator, operand=operand):
            value = _evaluate(operand, values)
            return -value if isinstance(operator, ast.USub) else value
        case ast.BinOp(left=left, op=binary, right=right):
            return _finite(_OPERATORS[type(binary)](_evaluate(left, values), _evaluate(right, values)))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _FUNCTIONS[name][0](*(_evaluate(argument, values) for argument in arguments))
    raise FormulaError("was not checked")


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OverflowError
    return value
