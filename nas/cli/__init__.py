"""The command line: one thin file a group of commands, each parsing, calling one function and printing."""

import sys

from nas.errors import InputError


def main() -> None:
    """Run `nas`. What the user can mend ends with its message alone and exit code 2; Ctrl-C ends with 130."""
    from nas.cli.app import app
    from nas.cli.output import complain

    try:
        app()
    except InputError as error:
        complain(str(error))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
