mkdir -p /srv/www
echo "<h1>{{word}}</h1>" > /srv/www/index.html
httpd -p 8080 -h /srv/www
