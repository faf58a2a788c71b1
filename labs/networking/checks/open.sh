page=$(wget -q -O - http://main:7000/) || exit 1
case $page in *"hidden {{word}}"*) exit 0 ;; *) exit 2 ;; esac
