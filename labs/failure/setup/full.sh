mkdir -p /dev/shm/orders /dev/shm/tmp
for number in 1 2 3; do echo "order $number" > "/dev/shm/orders/$number.txt"; done
rm -f "/dev/shm/orders/{{order}}.txt"
# Fills the disk to its last byte.
cat /dev/zero > /dev/shm/tmp/core.dump 2> /dev/null
cat /dev/zero > /dev/shm/tmp/rest 2> /dev/null
exit 0
