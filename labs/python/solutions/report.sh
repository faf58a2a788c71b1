cat > /srv/app/report.py <<'END'
import csv
import sys

import temps

with open("/srv/app/weather.csv") as file:
    values = [float(row["celsius"]) for row in csv.DictReader(file) if row["city"] == sys.argv[1]]
if not values:
    sys.exit(1)
print(f"{sys.argv[1]}: {min(values):.1f} / {temps.average(values):.1f} / {max(values):.1f}")
END
