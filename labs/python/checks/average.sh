#!/usr/bin/env python3
import sys
sys.path.insert(0, "/srv/app")
sys.dont_write_bytecode = True
try:
    import temps
    good = temps.average([1, 2, 6]) == 3 and temps.average([5]) == 5 and abs(temps.average([0.1] * 10) - 0.1) < 1e-9
except Exception as error:
    print(error)
    sys.exit(1)
if not good:
    sys.exit(1)
try:
    sys.exit(0 if temps.average([]) is None else 2)
except ZeroDivisionError:
    sys.exit(2)
