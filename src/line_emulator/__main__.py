"""`python -m line_emulator`: the same as the command `line-emulator`."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="line-emulator")
