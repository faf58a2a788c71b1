said=$(mariadb -u root -N -e 'SELECT TRIM(answer) FROM answers WHERE question = 1' shop) || exit 1
[ -n "$said" ] || exit 1
want=$(mariadb -u root -N -e "SELECT COUNT(*) FROM customers WHERE city = '{{city}}'" shop)
[ "$said" = "$want" ] || exit 2
