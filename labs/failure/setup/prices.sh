mkdir -p /srv/shop/pages/prices
chmod 755 /srv/shop/pages/prices
rm -f /srv/shop/pages/prices/list.txt
echo "one apple: 1.{{order}}" > /srv/shop/pages/prices/list.txt
chmod 000 /srv/shop/pages/prices/list.txt
chmod 600 /srv/shop/pages/prices
