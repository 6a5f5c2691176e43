"""Values that are what was typed: words and flags need no validator.

Typer has pydantic turn every value into its type, also a word into a word: 0.1 s of CPU in each command. Here
words, flags, what was not given, and defaults pass as they are; all else goes typer's way, with its errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from typer.core import TyperArgument, TyperOption

#: Where typer keeps a parameter's validator; a release of it that has none there goes on as it does.
KEPT = "get_runtime_param"


def spare_validators() -> None:
    """For every command of this process."""
    for kind in (TyperArgument, TyperOption):
        if ordinary := getattr(kind, KEPT, None):
            setattr(kind, KEPT, _spared(ordinary))


def _spared(ordinary: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda parameter: _AsTyped(parameter.type_descriptor, ordinary)


@dataclass(frozen=True)
class _AsTyped:
    """Stands for the validator of one parameter, and asks for it where it is needed."""

    described: Any
    ordinary: Callable[[Any], Any]

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        wanted = self.described.annotation
        if self.described.parameter_info.parser is None:
            if wanted == list[str] and _words(value):
                return list(value)
            if type(value) is wanted and (wanted in {str, bool} or value is param.default):
                return value
        return self.ordinary(param).coerce(value, param=param, ctx=ctx)


def _words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(type(each) is str for each in value)
