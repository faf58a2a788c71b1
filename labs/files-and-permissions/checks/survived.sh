[ ! -e /srv/papers/report.txt ] && grep -q "{{secret}}" /srv/papers/keep.txt
