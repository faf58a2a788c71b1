[ -f /root/answer.txt ] || exit 1
read -r status < /root/answer.txt
case $status in
  HTTP/1.?\ 200*) ;;
  HTTP/1.?\ 4*) exit 3 ;;
  *) exit 2 ;;
esac
grep -qi '^content-type:' /root/answer.txt && grep -q "{{word}}" /root/answer.txt || exit 2
