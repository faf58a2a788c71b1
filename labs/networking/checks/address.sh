[ -f /root/address.txt ] || exit 1
said=$(tr -d ' \r\n' < /root/address.txt)
[ "$said" = 127.0.0.1 ] && exit 2
case $said in */*|'') exit 3 ;; esac
ip addr show eth0 | grep -q " $said/" || exit 3
