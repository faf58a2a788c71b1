told=$(pierhead lab check /srv/lab --json 2> /dev/null)
echo "$told" | grep -q '"Say hello"' && echo "$told" | grep -q '"checks": *1' && [ -s /srv/lab/solutions/greet.sh ]
