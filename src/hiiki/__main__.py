"""`python -m hiiki`."""

from hiiki.cli import main

main()
