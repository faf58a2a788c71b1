stock=$(mariadb -u root -N -e 'SELECT stock FROM products WHERE id = 3' shop) || exit 1
[ "$stock" = 22 ] && exit 0
[ "$stock" = 25 ] && exit 1
exit 2
