mkdir -p /srv/www/private
echo "nothing here, {{word}}" > /srv/www/missing.html
echo "secret" > /srv/www/private/index.html
printf 'E404:/srv/www/missing.html\n/private:nobody:x\n' > /srv/httpd.conf
killall httpd
sleep 1
httpd -p 8080 -h /srv/www -c /srv/httpd.conf
