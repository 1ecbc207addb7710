"""`python -m line_emulator`."""

from line_emulator.cli import main

main()
