"""What ``dev/translate`` does to the files of ``i18n/``."""
