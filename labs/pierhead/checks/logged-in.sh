pierhead whoami --json 2> /dev/null | grep -q '"admin"'
