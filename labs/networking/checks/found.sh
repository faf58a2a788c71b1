[ -f /root/listened.txt ] || exit 1
[ "$(tr -d ' \r\n' < /root/listened.txt)" = 127.0.0.1 ] || exit 2
