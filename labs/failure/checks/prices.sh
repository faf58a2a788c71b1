page=$(wget -q -O - http://127.0.0.1:8080/prices/list.txt) || exit 1
case $page in *"1.{{order}}"*) exit 0 ;; *) exit 2 ;; esac
