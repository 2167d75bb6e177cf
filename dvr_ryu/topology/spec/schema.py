"""Make voluptuous schemas of classes of annotated keys; they read plain data or report all errors.

The annotation alone defines a key's values: a kind of `scalars`, such a class, a mapping (dict) or
a list (tuple) of either, or nothing (None). This module knows none of the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

import voluptuous
from attrs import NOTHING, Attribute, fields, frozen
from voluptuous import (
    All,
    Invalid,
    MultipleInvalid,
    Optional,
    Required,
    RequiredFieldInvalid,
    Schema,
)

from dvr_ryu.topology.wording import nearest, suggestion

S = TypeVar("S")


class WrongKey(Invalid):
    """The last key of the path is wrong, not its value."""


class UnknownKey(WrongKey):
    """A mapping has no such key; `nearest` is a similar key, if there is any."""

    def __init__(self, key: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown key '{key}'; {suggestion(key, known)}")
        self.nearest = nearest(key, known)


class Empty(Invalid):
    """A mapping or list is empty that may not be."""


def missing_key(key: str) -> Invalid:
    """The mapping lacks this key, which its other keys require."""
    return RequiredFieldInvalid("is lacking", [key])


def wrong_key(key: str, message: str) -> Invalid:
    """The mapping has a key that does not go with its others."""
    return WrongKey(message, [key])


def at_least_one(several: S) -> S:
    """Takes a mapping or a list that is not empty."""
    if not several:
        raise Empty("is empty")
    return several


@frozen(kw_only=True)
class Spec:
    """A mapping of the file: unknown keys are errors. With nothing behind its key, it is empty."""

    @classmethod
    def check(cls, written: Mapping[str, Any]) -> None:
        """Raise Invalid where the keys that are written, each of them right, do not go together."""


def schema(annotation: Any) -> Any:
    """The voluptuous schema for the values of a key with this annotation."""
    kind, arguments = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _annotated(*arguments)
    if kind in (Union, UnionType):
        return voluptuous.Any(*(None if each is NoneType else schema(each) for each in arguments))
    if kind is dict:
        return All(_pairs, _named(*arguments))
    if kind is tuple:
        return All(_entries, {int: schema(arguments[0])}, _values)
    return object if annotation is Any else _mapping(annotation)


def _annotated(kind: Any, *checks: Callable[[Any], Any]) -> Any:
    """The functions of a scalar are its schema; a mapping or list has its own schema, too."""
    below = [schema(kind)] if get_origin(kind) in (dict, tuple) else []
    return All(*below, *(_checked(check) for check in checks))


def _checked(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Report a function's own message, which voluptuous does not take from a ValueError."""

    def take(value: Any) -> Any:
        try:
            return check(value)
        except ValueError as error:
            raise Invalid(str(error)) from None

    return take


def _named(key: Any, value: Any) -> Callable[[dict[Any, Any]], dict[Any, Any]]:
    """A mapping whose keys are names, say. It also checks the value of a wrong key, which
    voluptuous does not.
    """
    take_key, take_values = Schema(schema(key)), Schema({object: schema(value)})

    def take(written: dict[Any, Any]) -> dict[Any, Any]:
        keys: dict[Any, Any] = {}
        wrong: list[Invalid] = []
        for each in written:
            try:
                keys[each] = take_key(each)
            except Invalid as error:
                wrong.append(WrongKey(f"'{each}' {error.msg}", [each]))
        try:
            values = take_values(written)
        except MultipleInvalid as error:
            wrong += error.errors
        if wrong:
            raise MultipleInvalid(wrong)
        return {keys[each]: taken for each, taken in values.items()}

    return take


def key_of(attribute: Attribute[Any]) -> str:
    """The key of a mapping that an attribute has: its name, less the `_` behind a Python word."""
    return attribute.name.removesuffix("_")


def _mapping(spec: type[Spec]) -> Any:
    hints = get_type_hints(spec, include_extras=True)
    attributes = {key_of(each): each.name for each in fields(spec)}
    known = tuple(attributes)

    def unknown(key: str) -> NoReturn:
        raise UnknownKey(key, known)

    def made(written: dict[str, Any]) -> Spec:
        spec.check(written)
        return spec(**{attributes[key]: value for key, value in written.items()})

    keys: dict[Any, Any] = {
        (Required if each.default is NOTHING else Optional)(key_of(each)): schema(hints[each.name])
        for each in fields(spec)
    }
    return All(_pairs, {**keys, unknown: object}, made)


def _pairs(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("is not a mapping; write {key: value}, or an indented line for each key")
    return value


def _entries(value: Any) -> dict[int, Any]:
    """A list as a mapping: voluptuous reports all errors of a mapping, but only the first wrong
    entry of a list.
    """
    if not isinstance(value, list):
        raise Invalid("is not a list; write [...], or a line with '- ' for each")
    return dict(enumerate(value))


def _values(entries: dict[int, Any]) -> tuple[Any, ...]:
    return tuple(entries.values())
