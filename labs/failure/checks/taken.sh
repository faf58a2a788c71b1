[ -e "/dev/shm/orders/{{order}}.txt" ] || exit 1
grep -q "order {{order}}" "/dev/shm/orders/{{order}}.txt" || exit 2
