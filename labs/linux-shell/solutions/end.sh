for file in /proc/[0-9]*/cmdline; do
  line=$(tr '\0' ' ' < "$file" 2>/dev/null)
  pid=${file#/proc/}
  case $line in *tail*-f*/srv/forgotten*) kill "${pid%/cmdline}" ;; esac
done
