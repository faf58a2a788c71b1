for name in keep-running.sh count.sh; do
  for file in /proc/[0-9]*/cmdline; do
    line=$(tr '\0' ' ' < "$file" 2>/dev/null)
    pid=${file#/proc/}
    case $line in */srv/shop/$name*) kill "${pid%/cmdline}" ;; esac
  done
done
