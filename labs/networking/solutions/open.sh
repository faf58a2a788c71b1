echo 127.0.0.1 > /root/listened.txt
for file in /proc/[0-9]*/cmdline; do
  line=$(tr '\0' ' ' < "$file" 2>/dev/null)
  pid=${file#/proc/}
  case $line in *httpd*127.0.0.1:7000*) kill "${pid%/cmdline}" ;; esac
done
sleep 1
httpd -p 7000 -h /srv/hidden
