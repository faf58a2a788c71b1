#!/bin/sh
# Takes an order: writes it into the book of orders.
book=/dev/shm/orders/$1.txt
mkdir -p /dev/shm/orders
if echo "order $1 of $(date '+%H:%M:%S')" > "$book" && [ -s "$book" ]; then
  echo "order $1 was taken"
else
  echo "ERROR: order $1 could not be written" >&2
  exit 1
fi
