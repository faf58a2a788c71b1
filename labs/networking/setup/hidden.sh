mkdir -p /srv/hidden
echo "hidden {{word}}" > /srv/hidden/index.html
httpd -p 127.0.0.1:7000 -h /srv/hidden
