"""`python -m api` is `docstore` where the console script is not installed."""

from api.cli import main

main()
