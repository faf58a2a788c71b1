#!/usr/bin/env python3
import sys
sys.path.insert(0, "/srv/app")
sys.dont_write_bytecode = True
try:
    import temps
except Exception as error:
    print(error)
    sys.exit(2)
pairs = [(0, 32), (100, 212), (-40, -40), (37, 98.6)]
try:
    good = all(abs(temps.to_fahrenheit(c) - f) < 0.001 for c, f in pairs)
except Exception as error:
    print(error)
    sys.exit(1)
sys.exit(0 if good else 1)
