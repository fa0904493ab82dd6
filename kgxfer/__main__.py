"""`python -m kgxfer` is the command `kgxfer`."""

from kgxfer.cli import main

if __name__ == "__main__":
    main()
