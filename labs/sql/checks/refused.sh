mariadb -u root shop -e "START TRANSACTION; INSERT INTO orders VALUES (9999, 999, '2026-03-08'); ROLLBACK" 2> /dev/null && exit 1
mariadb -u root shop -e "START TRANSACTION; INSERT INTO line_items VALUES (9999, 1, 1); ROLLBACK" 2> /dev/null && exit 1
exit 0
