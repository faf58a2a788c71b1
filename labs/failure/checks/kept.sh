for number in 1 2 3; do grep -q "order $number" "/dev/shm/orders/$number.txt" || exit 1; done
