mkdir -p /srv/papers/version-1 /srv/papers/version-2
rm -rf /srv/papers/keep.txt /srv/papers/current
echo "the report of {{secret}}" > /srv/papers/report.txt
