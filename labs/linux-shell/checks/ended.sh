for file in /proc/[0-9]*/cmdline; do
  line=$(tr '\0' ' ' < "$file" 2>/dev/null)
  case $line in *tail*-f*/srv/forgotten*) exit 1 ;; esac
done
exit 0
