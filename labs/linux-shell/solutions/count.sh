grep -c ' {{code}} ' /srv/access.log > /root/count.txt
