q() { mariadb -u root -N -e "$1" shop; }
[ "$(q 'SELECT customer_id FROM orders WHERE id = 11')" = 8 ] || exit 1
[ "$(q 'SELECT COUNT(*) FROM line_items WHERE order_id = 11 AND product_id = 3 AND amount = 3')" = 1 ] || exit 2
