rules=$(mariadb -u root -N -e "SELECT COUNT(*) FROM information_schema.table_constraints WHERE table_schema = 'shop' AND constraint_type = 'FOREIGN KEY'")
counts=$(mariadb -u root -N -e 'SELECT (SELECT COUNT(*) FROM orders WHERE id <= 10), (SELECT COUNT(*) FROM line_items WHERE order_id <= 10)' shop | tr '\t' ' ')
[ "$rules" -ge 3 ] && [ "$counts" = "10 15" ]
