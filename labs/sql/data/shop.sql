DROP TABLE IF EXISTS answers, line_items, orders, products, customers;
CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, city VARCHAR(60) NOT NULL);
CREATE TABLE products (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, price_cents INT NOT NULL, stock INT NOT NULL);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT NOT NULL, day DATE NOT NULL);
CREATE TABLE line_items (order_id INT NOT NULL, product_id INT NOT NULL, amount INT NOT NULL);
CREATE TABLE answers (question INT PRIMARY KEY, answer VARCHAR(100) NOT NULL);
INSERT INTO customers VALUES (1,'Ada','Turin'),(2,'Blaise','Ghent'),(3,'Clara','Porto'),(4,'Dmitri','Turin'),(5,'Emmy','Ghent'),
  (6,'Fatima','Porto'),(7,'Grace','Turin'),(8,'Hedy','Ghent');
INSERT INTO products VALUES (1,'apple',45,200),(2,'bread',320,40),(3,'cheese',890,25),(4,'dates',610,60),(5,'eggs',399,80);
INSERT INTO orders VALUES (1,1,'2026-03-01'),(2,2,'2026-03-01'),(3,1,'2026-03-02'),(4,3,'2026-03-03'),(5,4,'2026-03-03'),
  (6,5,'2026-03-04'),(7,7,'2026-03-05'),(8,2,'2026-03-05'),(9,3,'2026-03-06'),(10,3,'2026-03-07');
INSERT INTO line_items VALUES (1,1,10),(1,2,1),(2,3,2),(3,5,1),(4,1,20),(4,4,1),(5,2,3),(6,3,1),(6,2,1),(7,4,2),(8,1,6),(8,5,2),
  (9,2,2),(10,3,1),(10,5,1);
