: > /srv/forgotten
tail -f /srv/forgotten > /dev/null 2>&1 &
