"""Words in braces that stand for what is known only when a program is started."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from vaultstorm_server.configuration import nearest
from vaultstorm_wire.errors import UsageError

TLS: Final = ("cert", "key", "ca")
"""The files of a certificate that is made for the server."""
COMMON: Final = ("host", "port", "address", "dir", "journal", "python")
NAMES: Final = (*COMMON, *TLS)
"""What the command, the environment and the files of a target may say."""
PID: Final = "pid"
"""What a command that is run beside the server may say as well."""
OF_A_CLIENT: Final = ("url", "ca", "host", "port", "seed", "variant")
"""What the command of a client may say."""

_NAMED = re.compile(r"(?<![${%])\{([a-z][a-z_]*)\}(?!\})")
# ${name} is a shell's and nginx's, %{name} is curl's, {{name}} is what is meant to stay.
_KEPT = re.compile(r"\{\{([a-z][a-z_]*)\}\}")


def named(text: str) -> list[str]:
    """Give the placeholders in a text, in their order."""
    return _NAMED.findall(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put values in the place of their names; what has no value stays as it is."""
    return _NAMED.sub(lambda found: values.get(found[1], found[0]), text)


def fill_words(words: Iterable[str], values: Mapping[str, str]) -> list[str]:
    """Do so in the words of a command, where ``{{name}}`` is written for ``{name}``."""
    return [_KEPT.sub(r"{\1}", fill(word, values)) for word in words]


def check(texts: Iterable[str], known: Collection[str], where: str) -> None:
    """Refuse a placeholder that has no value.

    Raises:
        UsageError: there is one; names the nearest that exists.
    """
    for text in texts:
        for name in named(text):
            if name not in known:
                near = nearest(name, known)
                listed = ", ".join(f"{{{one}}}" for one in known)
                meant = f"did you mean {{{near}}}?" if near else f"there are {listed}"
                raise UsageError(f"{where}: {text!r} names {{{name}}}; {meant}")
