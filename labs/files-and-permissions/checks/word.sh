[ -f /root/answer.txt ] || exit 1
grep -qx "{{secret}}" /root/answer.txt || exit 2
