cat > /srv/app/test_temps.py <<'END'
import unittest

import temps


class Fahrenheit(unittest.TestCase):
    def test_water_freezes(self):
        self.assertEqual(temps.to_fahrenheit(0), 32)


class Average(unittest.TestCase):
    def test_all_values_count(self):
        self.assertEqual(temps.average([1, 2, 6]), 3)

    def test_nothing_has_no_average(self):
        self.assertIsNone(temps.average([]))
END
