# The server may just be starting.
for try in $(seq 1 60); do
  mariadb -u root -e 'SELECT 1 FROM information_schema.schemata WHERE schema_name = "shop"' 2> /dev/null | grep -q 1 && break
  sleep 1
done
mariadb -u root shop < /srv/shop.sql
