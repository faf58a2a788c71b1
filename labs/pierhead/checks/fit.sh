pierhead lab check /srv/lab > /dev/null 2>&1
