#!/usr/bin/env python3
import csv, subprocess, sys
rows = list(csv.DictReader(open("/srv/app/weather.csv")))
def report(city):
    return subprocess.run([sys.executable, "/srv/app/report.py", city], capture_output=True, text=True)
for city in ["Oslo", "Lagos", "Lima", "Hanoi"]:
    values = [float(row["celsius"]) for row in rows if row["city"] == city]
    want = f"{city}: {min(values):.1f} / {sum(values) / len(values):.1f} / {max(values):.1f}"
    if report(city).stdout.strip() != want:
        sys.exit(1)
nowhere = report("Nowhere")
sys.exit(0 if nowhere.returncode == 1 and not nowhere.stdout.strip() else 2)
