runs() {
  for file in /proc/[0-9]*/cmdline; do
    line=$(tr '\0' ' ' < "$file" 2>/dev/null)
    case $line in */srv/shop/count.sh*|*/srv/shop/keep-running.sh*) return 0 ;; esac
  done
  return 1
}
runs && exit 1
sleep 3
runs && exit 2
exit 0
