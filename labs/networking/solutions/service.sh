mkdir -p /srv/mine
echo "{{word}}" > /srv/mine/index.html
httpd -p 9000 -h /srv/mine
