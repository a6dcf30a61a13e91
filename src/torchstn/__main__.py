"""`python -m torchstn`, as launchers of several processes want it."""

from .cli import main

if __name__ == "__main__":
    main()
