"""One module for each executable in ``dev/``; each has ``main(arguments)``."""
