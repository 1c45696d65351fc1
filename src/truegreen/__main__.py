"""``python -m truegreen``: the same as the console script. Nothing else lives here."""

from truegreen.cli import main

if __name__ == "__main__":
    main()
