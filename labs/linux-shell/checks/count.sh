[ -f /root/count.txt ] || exit 1
found=$(cat /root/count.txt)
case $found in ''|*[!0-9\ ]*) exit 3 ;; esac
[ "$((found))" -eq "$(grep -c ' {{code}} ' /srv/access.log)" ] || exit 2
