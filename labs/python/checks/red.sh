export PYTHONDONTWRITEBYTECODE=1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp /srv/app/test_temps.py "$work/" || exit 1
cd "$work" || exit 1
passes() { python3 -m unittest test_temps > /dev/null 2>&1; }
good='def to_fahrenheit(c): return c * 9 / 5 + 32
def average(v): return sum(v) / len(v) if v else None'
echo "$good" > temps.py && passes || exit 1
echo "$good" | sed 's/+ 32/+ 23/' > temps.py && passes && exit 2
echo "$good" | sed 's/sum(v)/v[-1]/' > temps.py && passes && exit 3
echo "$good" | sed 's/ if v else None//' > temps.py && passes && exit 4
exit 0
