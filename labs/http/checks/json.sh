ask() { printf 'GET /cgi-bin/hello?%s HTTP/1.0\r\n\r\n' "$1" | nc 127.0.0.1 8080; }
one=$(ask "{{word}}") || exit 1
case $one in *"{{word}}"*|*hello*) ;; *) exit 1 ;; esac
case $one in *[Cc]ontent-[Tt]ype:\ application/json*) ;; *) exit 2 ;; esac
case $one in *'"hello": "{{word}}"'*) ;; *) exit 3 ;; esac
case $(ask Linus) in *'"hello": "Linus"'*) exit 0 ;; *) exit 3 ;; esac
