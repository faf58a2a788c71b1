echo 'port=8080' > /srv/shop/settings
/srv/shop/start.sh
