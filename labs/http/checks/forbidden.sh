[ -f /srv/www/private/index.html ] || exit 1
answer=$(printf 'GET /private/ HTTP/1.0\r\n\r\n' | nc 127.0.0.1 8080) || exit 1
case $answer in HTTP/1.?\ 40[13]*) exit 0 ;; *) exit 2 ;; esac
