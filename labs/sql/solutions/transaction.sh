mariadb -u root shop <<'END'
START TRANSACTION;
INSERT INTO orders VALUES (11, 8, '2026-03-08');
INSERT INTO line_items VALUES (11, 3, 3);
UPDATE products SET stock = stock - 3 WHERE id = 3;
COMMIT;
CREATE VIEW turnover AS SELECT customers.name, SUM(line_items.amount * products.price_cents) AS cents
  FROM customers JOIN orders ON orders.customer_id = customers.id JOIN line_items ON line_items.order_id = orders.id
  JOIN products ON products.id = line_items.product_id GROUP BY customers.id, customers.name;
END
