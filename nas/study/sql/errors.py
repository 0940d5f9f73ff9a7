"""Database errors in a user's words, with what to do and without credentials."""

import sqlite3

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from nas.errors import InputError

ADVICE = {
    "disk is full": "free some space and give the same command again; what was stored is kept",
    "No space left": "free some space on the server and give the same command again; what was stored is kept",
    "not a database": "give the path of a database that nas or Optuna wrote, or of a new file",
    "malformed": "the file is damaged; restore a copy of it",
    "readonly": "make the file and its folder writable, or copy them to where you may write",
    "unable to open": "give a file in a folder that you may write to",
    "locked": "another program keeps the file locked; end it and give the same command again",
    "authentication": "check the user and the password in the address",
    "permission denied": "ask for the right to create and write tables there",
    "does not exist": "create it on the server, or correct the address",
    "refused": "start the server, or correct host and port in the address",
    "resolve": "correct the host in the address",
    "timeout": "check that host and port in the address can be reached from here",
}
"""What to do, by what the database said."""


def describe(url: URL) -> str:
    """An address that can be shown: no password, and no query, where certificates' passwords stand."""
    return url.set(query={}).render_as_string(hide_password=True)


def typed(url: URL) -> str:
    """An address to type again: without a password, wherever it stood, and otherwise whole."""
    query = {key: value for key, value in url.query.items() if "pass" not in key}
    kept = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return kept.render_as_string(hide_password=False)


class UnreachableError(InputError):
    """The server went away or is coming up: the same statement may succeed in a while."""


PASSING_STATES = ("08", "57P", "53300", "40001", "40P01")
"""How the SQLSTATE begins of what passes: lost connections, a server that starts or stops, too many clients, deadlocks.
"""


def refusal(error: BaseException, url: URL) -> InputError:
    """What the database said, and what to do about it."""
    reason = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    text = _without_secrets(reason.splitlines()[0], url)
    advice = next((advice for words, advice in ADVICE.items() if words in text), "check the address")
    kind = UnreachableError if _passes(error, url) else InputError
    return kind(f"{describe(url)} cannot be used ({text}); {advice}")


def explain(error: BaseException, url: URL) -> InputError | None:
    """The error as the user's affair, or None where it is none of theirs. Optuna wraps what its database said."""
    return next((refusal(cause, url) for cause in (error, error.__cause__) if cause and _is_the_users(cause)), None)


def _passes(error: BaseException, url: URL) -> bool:
    """Whether a server may come back by itself. What SQLite says has waited long enough already."""
    if url.get_backend_name() == "sqlite":
        return False
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return state is None or state.startswith(PASSING_STATES)


def _is_the_users(error: BaseException) -> bool:
    """Whether a database is full, locked, damaged, read-only or out of reach. Other complaints are bugs of ours."""
    if isinstance(error, OperationalError | InterfaceError | sqlite3.OperationalError):
        return True
    return type(error) in {DatabaseError, sqlite3.DatabaseError}  # what is no database; not what derives from them


def _without_secrets(text: str, url: URL) -> str:
    """The text without the password, wherever in the address it stood."""
    in_query = [value for key, values in url.normalized_query.items() for value in values if "pass" in key]
    for secret in filter(None, [str(url.password or ""), *in_query]):
        text = text.replace(secret, "***")
    return text
