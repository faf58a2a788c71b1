ln /srv/papers/report.txt /srv/papers/keep.txt
ln -s version-2 /srv/papers/current
rm /srv/papers/report.txt
