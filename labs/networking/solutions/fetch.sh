wget -q -O /root/page.html "http://web:{{port}}/"
