docker image inspect tiny:1 > /dev/null 2>&1
