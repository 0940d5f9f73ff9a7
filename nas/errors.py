"""The one error that a user's input raises, wherever it enters."""


class InputError(Exception):
    """Something the user gave cannot be used.

    The message names the file or field, what was found, what was expected and what to do.
    The command line prints it alone, without a traceback, and ends with exit code 2.
    """
