page=$(wget -q -O - http://main:9000/) || exit 1
case $page in *"{{word}}"*) exit 0 ;; *) exit 2 ;; esac
