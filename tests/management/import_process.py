"""Imports in processes that may be killed: ``python -m tests.management.import_process [argument …]``.

Django is loaded once. For each line of its input it forks a process that runs ``cognito_import`` with these arguments;
it prints the process's number, and how it ended: 0, the code of an error, or less than 0 for the signal.
"""

import os
import sys

import django
from django.core.management import CommandError, call_command


def main(arguments: list[str]) -> None:
    django.setup()
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            try:
                call_command("cognito_import", *arguments, skip_checks=True, stdout=sys.stderr)
            except CommandError as error:
                print(error, file=sys.stderr)
                os._exit(error.returncode)
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
