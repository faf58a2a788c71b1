said=$(mariadb -u root -N -e 'SELECT LOWER(TRIM(answer)) FROM answers WHERE question = 2' shop) || exit 1
[ -n "$said" ] || exit 1
[ "$said" = apple ] || exit 2
