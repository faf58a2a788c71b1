tar -C /srv/root -c . | docker import - tiny:1
