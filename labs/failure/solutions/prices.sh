chmod 755 /srv/shop/pages/prices
chmod 644 /srv/shop/pages/prices/list.txt
