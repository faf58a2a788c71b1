#!/usr/bin/env python3
import csv, subprocess, sys
values = [float(row["celsius"]) for row in csv.DictReader(open("/srv/app/weather.csv")) if row["city"] == "{{city}}"]
want = f"{{city}}: {min(values):.1f} / {sum(values) / len(values):.1f} / {max(values):.1f}"
ran = subprocess.run([sys.executable, "/srv/app/report.py", "{{city}}"], capture_output=True, text=True)
lines = ran.stdout.strip().splitlines()
print(ran.stdout, ran.stderr)
if ran.returncode != 0 or not lines:
    sys.exit(1)
if lines == [want]:
    sys.exit(0)
sys.exit(3 if want in lines else 2)
