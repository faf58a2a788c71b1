rm -f /dev/shm/tmp/core.dump /dev/shm/tmp/rest
/srv/shop/order.sh "{{order}}"
