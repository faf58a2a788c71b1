[ -f /root/page.html ] || exit 1
grep -q "the page of {{word}}" /root/page.html || exit 2
