"""What production reads from the environment, and one sentence for whatever is wrong with it.

https://12factor.net/config
"""

import os

from django.core.exceptions import ImproperlyConfigured

_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class EnvironmentMistake(ImproperlyConfigured):
    """A variable is missing or cannot be read. Its text is one sentence that names the variable and the remedy."""


def required(name: str, meaning: str) -> str:
    """The variable `name`. Raises EnvironmentMistake, saying what it means, where it is missing or blank."""
    value = optional(name)
    if not value:
        raise EnvironmentMistake(f"Set the environment variable {name}: {meaning}.")
    return value


def optional(name: str) -> str:
    """The variable `name` without blanks around it, or ""."""
    return os.environ.get(name, "").strip()


def listed(text: str) -> list[str]:
    """The parts of a text with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


def switch(name: str) -> bool:
    """Whether the variable `name` says so; not where it is missing. Raises EnvironmentMistake for other words."""
    value = optional(name).lower()
    if value and value not in _SWITCHES:
        raise EnvironmentMistake(f"The environment variable {name} is a switch: set it to 1 or 0.")
    return _SWITCHES.get(value, False)


def number(name: str, default: int) -> int:
    """The variable `name` as a whole number of at least 0. Raises EnvironmentMistake for anything else."""
    value = optional(name)
    if value and not (value.isascii() and value.isdigit()):
        raise EnvironmentMistake(f"The environment variable {name} is a number: set it to {default}, say.")
    return int(value) if value else default
