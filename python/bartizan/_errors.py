"""What can go wrong. Every message names the place, what was expected and what was found."""


class Error(Exception):
    """Something that prevents an answer or a run."""


class InputError(Error, ValueError):
    """A file, an array or an option that is not what it should be."""


class FileError(Error, OSError):
    """A file that cannot be read or written."""


for _class in (Error, InputError, FileError):
    _class.__module__ = "bartizan"
