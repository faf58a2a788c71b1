page=$(wget -q -O - http://127.0.0.1:8080/) || exit 1
case $page in *"{{word}}"*) exit 0 ;; *) exit 2 ;; esac
