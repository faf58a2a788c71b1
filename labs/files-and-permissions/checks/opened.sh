[ -r /srv/archive/readme.txt ]
