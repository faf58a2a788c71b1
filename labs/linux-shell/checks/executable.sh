[ -f /root/greet.sh ] || exit 1
[ -x /root/greet.sh ] || exit 2
