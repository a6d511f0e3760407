"""How the value of a switch is written: as text in a command or a prompt, as JSON in a body."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Grammar(Protocol):
    """Reads one kind of value; raises ValueError with a sentence that a caller can act on."""

    @property
    def shape(self) -> str: ...

    def read(self, value: object) -> object: ...

    def write(self, value: object) -> object: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """One word and the amounts that belong to it: `late:5` is Choice("late", (5.0,))."""

    word: str
    amounts: tuple[float, ...] = ()

    def __str__(self) -> str:
        return ":".join([self.word, *(f"{amount:g}" for amount in self.amounts)])


@dataclass(frozen=True, slots=True)
class Amount:
    """A bounded number inside a choice; without it in the text, `default` stands."""

    name: str
    low: float
    high: float
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """One of several words, some with amounts. A bare number means `bare_number:<number>`."""

    options: Mapping[str, tuple[Amount, ...]]
    bare_number: str | None = None
    synonyms: Mapping[str, str] = field(default_factory=dict)

    @property
    def shape(self) -> str:
        words = [
            ":".join([word, *(f"<{amount.name}>" for amount in amounts)])
            for word, amounts in self.options.items()
        ]
        return "|".join(["<number>", *words] if self.bare_number else words)

    def read(self, value: object) -> Choice:
        if self.bare_number and _is_number(value):
            value = f"{self.bare_number}:{value}"
        if not isinstance(value, str):
            raise ValueError(f"must be text, one of {self.shape}")
        word, *texts = value.split(":")
        word = self.synonyms.get(word, word)
        if word not in self.options:
            raise ValueError(f"must be one of {self.shape}")
        amounts = self.options[word]
        if len(texts) > len(amounts):
            raise ValueError(f"{word!r} takes {len(amounts)} amounts, not {len(texts)}")
        missing = len(amounts) - len(texts)
        return Choice(
            word,
            tuple(map(_read_amount, amounts, [*texts, *[None] * missing])),
        )

    def write(self, value: object) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Number:
    """A bounded number."""

    name: str
    low: float
    high: float

    @property
    def shape(self) -> str:
        return f"<{self.name}>"

    def read(self, value: object) -> float:
        if not isinstance(value, str) and not _is_number(value):
            raise ValueError("must be a number")
        return _read_amount(Amount(self.name, self.low, self.high), str(value))

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false; its bare name in a prompt means true."""

    @property
    def shape(self) -> str:
        return "true|false"

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise ValueError("must be true or false")

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Several:
    """One or more of several words, separated by commas."""

    options: tuple[str, ...]

    @property
    def shape(self) -> str:
        return ",".join(self.options)

    def read(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, str):
            raise ValueError(f"must be text, some of {self.shape}")
        words = tuple(value.split(","))
        if not set(words) <= set(self.options):
            raise ValueError(f"must be some of {self.shape}")
        return words

    def write(self, value: object) -> str:
        assert isinstance(value, tuple)
        return ",".join(value)


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        try:
            return math.isfinite(float(value))
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_amount(amount: Amount, text: str | None) -> float:
    if text is None:
        if amount.default is None:
            raise ValueError(f"needs <{amount.name}>")
        return amount.default
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"<{amount.name}> must be a number, not {text!r}") from error
    if not amount.low <= number <= amount.high:
        raise ValueError(f"<{amount.name}> must be from {amount.low:g} to {amount.high:g}")
    return number
