[ -d /srv/archive ] && chmod 755 /srv/archive
mkdir -p /srv/archive/drafts
echo 'You made it.' > /srv/archive/readme.txt
for name in one two three; do echo "draft $name" > "/srv/archive/drafts/$name.txt"; done
chmod 644 /srv/archive/drafts/*
chmod 755 /srv/archive/drafts
chmod 444 /srv/archive
