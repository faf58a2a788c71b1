mariadb -u root shop -e "START TRANSACTION; INSERT INTO line_items VALUES (1, 5, 0); ROLLBACK" 2> /dev/null && exit 1
mariadb -u root shop -e "START TRANSACTION; INSERT INTO line_items VALUES (1, 5, 1); ROLLBACK" 2> /dev/null
