[ -e /srv/papers/keep.txt ] || exit 1
[ -L /srv/papers/keep.txt ] && exit 2
grep -q "{{secret}}" /srv/papers/keep.txt || exit 2
if [ -e /srv/papers/report.txt ]; then
  [ "$(stat -c %i /srv/papers/keep.txt)" = "$(stat -c %i /srv/papers/report.txt)" ] || exit 2
fi
