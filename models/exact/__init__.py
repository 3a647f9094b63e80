"""Decides properties of small networks exactly, by mixed-integer programming. Uses nothing of `recipe`."""
