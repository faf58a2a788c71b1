cat > /srv/shop/count.sh <<'END'
#!/bin/sh
number=0
while [ "$number" -lt 100000 ]; do number=$((number + 1)); echo "customer $number" > /srv/shop/count.txt; sleep 1; done
END
cat > /srv/shop/keep-running.sh <<'END'
#!/bin/sh
while :; do /bin/sh /srv/shop/count.sh; sleep 1; done
END
/bin/sh /srv/shop/keep-running.sh > /dev/null 2>&1 &
sleep 1
