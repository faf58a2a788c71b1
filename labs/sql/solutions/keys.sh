mariadb -u root shop <<'END'
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE line_items ADD FOREIGN KEY (order_id) REFERENCES orders (id);
ALTER TABLE line_items ADD FOREIGN KEY (product_id) REFERENCES products (id);
ALTER TABLE line_items ADD CHECK (amount >= 1);
END
