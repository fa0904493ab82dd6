"""The base of every component's configuration, and readable errors for a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from graph_schema.errors import InputError, unknown_name


class Config(BaseModel):
    """Frozen settings of one component; unknown keys are errors, bounds stand in the types."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str) -> Self:
        """Make the configuration from plain values.

        Raises:
            InputError: one line with the place (`where` and the key), what is wrong, and the nearest key or the bound.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise _first_problem(cls, error, where) from None


def _first_problem(config: type[BaseModel], error: ValidationError, where: str) -> InputError:
    problems = error.errors()
    # A misspelt key is unknown, and often missing as well: say what was written, not what was left out.
    problem = next((found for found in problems if found["type"] == "extra_forbidden"), problems[0])
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        *table, key = problem["loc"]
        holder = _holder(config, tuple(table))
        place = ", ".join([where, *([".".join(map(str, table))] if table else [])])
        return unknown_name(f"key in {place}", str(key), holder.model_fields if holder else [])
    # What was given is shown where it is one plain value: a whole table can hold a password.
    plain = problem["type"] != "missing" and isinstance(problem["input"], str | int | float | None)
    message = problem["msg"].removeprefix("Value error, ")
    given = f", not {problem['input']!r}" if plain else ""
    return InputError(f"{where}, key {path or '(all)'}: {message[0].lower()}{message[1:]}{given}")


def _holder(config: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Follow `path` through nested configurations, and tables of them by name, to the one with the unknown key."""
    holder: Any = config
    for part in path:
        if get_origin(holder) is dict:
            holder = get_args(holder)[1]
            continue
        if not (isinstance(holder, type) and issubclass(holder, BaseModel)) or part not in holder.model_fields:
            return None
        holder = holder.model_fields[str(part)].annotation
    return holder if isinstance(holder, type) and issubclass(holder, BaseModel) else None
