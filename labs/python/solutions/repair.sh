cat > /srv/app/temps.py <<'END'
"""Temperatures."""


def to_fahrenheit(celsius):
    """Degrees Celsius as degrees Fahrenheit: 0 is 32, and 100 is 212."""
    return celsius * 9 / 5 + 32


def average(values):
    """The mean of a list of numbers; None if there are none."""
    if not values:
        return None
    return sum(values) / len(values)
END
