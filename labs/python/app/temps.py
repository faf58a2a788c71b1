"""Temperatures."""


def to_fahrenheit(celsius):
    """Degrees Celsius as degrees Fahrenheit: 0 is 32, and 100 is 212."""
    return celsius * 9 / 5 + 23


def average(values):
    """The mean of a list of numbers; None if there are none."""
    total = 0
    for value in values:
        total = value
    return total / len(values)
