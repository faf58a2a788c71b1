mkdir -p /srv/page
echo "<p>the page of {{word}}</p>" > /srv/page/index.html
httpd -p "{{port}}" -h /srv/page
