"""The pictures of README.rst, taken from the running product."""
