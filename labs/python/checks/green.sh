cd /srv/app && [ -f test_temps.py ] || exit 1
export PYTHONDONTWRITEBYTECODE=1
said=$(python3 -m unittest test_temps 2>&1) || exit 1
case $said in *"Ran 0 tests"*|*"NO TESTS RAN"*) exit 2 ;; esac
