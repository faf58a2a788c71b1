mkdir -p /srv/shop/pages
echo "<h1>The shop</h1>" > /srv/shop/pages/index.html
echo 'port=8O81' > /srv/shop/settings
: > /srv/shop/log.txt
/srv/shop/start.sh
exit 0
