mode=$(stat -c %a /srv/vault/word.txt) || exit 1
case $mode in 400) exit 0 ;; 4[1-7]?|4?[1-7]|[567]??) exit 2 ;; *) exit 1 ;; esac
