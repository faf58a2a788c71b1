chmod 755 /srv/archive
chmod 700 /srv/archive/drafts
chmod 600 /srv/archive/drafts/*
