echo a-long-enough-password > /root/password
pierhead serve --data-dir /srv/pool --admin-password-file /root/password > /root/pool.log 2>&1 &
for try in $(seq 1 60); do
  pierhead login http://127.0.0.1:8080 --username admin --password-stdin < /root/password > /dev/null 2>&1 && exit 0
  sleep 1
done
cat /root/pool.log
exit 1
