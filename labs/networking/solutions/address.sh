ip addr show eth0 | grep 'inet ' | tr -s ' ' | cut -d ' ' -f 3 | cut -d / -f 1 > /root/address.txt
