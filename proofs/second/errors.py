"""The two ways in which a check ends without acceptance."""


class Refused(Exception):
    """The certificate does not prove its claim."""


class Unreadable(Exception):
    """A model or property file is damaged, or says something that this checker does not know."""
