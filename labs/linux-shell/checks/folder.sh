[ -d "/root/{{word}}" ] && exit 0
[ -e "/root/{{word}}" ] && exit 2
exit 1
