#!/bin/sh
# Starts the shop. It reads its settings, and says in its log what it does.
log=/srv/shop/log.txt
say() { echo "$(date '+%H:%M:%S') $*" >> "$log"; }
port=
. /srv/shop/settings
case $port in
  ''|*[!0-9]*) say "ERROR: the port in /srv/shop/settings is \"$port\", which is no number; not started"; exit 1 ;;
esac
killall httpd 2> /dev/null
sleep 1
if httpd -p "$port" -h /srv/shop/pages -c /srv/shop/httpd.conf 2>> "$log"; then
  say "serving /srv/shop/pages on port $port"
else
  say "ERROR: the server did not start"
  exit 1
fi
