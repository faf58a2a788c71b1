answer=$(printf 'GET /nowhere-{{word}} HTTP/1.0\r\n\r\n' | nc 127.0.0.1 8080) || exit 1
case $answer in HTTP/1.?\ 404*) ;; *) exit 1 ;; esac
case $answer in *"{{word}}"*) exit 0 ;; *) exit 2 ;; esac
