found=$(mariadb -u root -N -e 'SELECT name, cents FROM turnover ORDER BY name' shop 2> /dev/null) || exit 1
want=$(mariadb -u root -N -e 'SELECT c.name, SUM(l.amount * p.price_cents) FROM customers c JOIN orders o ON o.customer_id = c.id JOIN line_items l ON l.order_id = o.id JOIN products p ON p.id = l.product_id GROUP BY c.id, c.name ORDER BY c.name' shop)
[ "$found" = "$want" ] || exit 2
