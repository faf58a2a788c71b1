shown=$(pierhead role show watcher --json 2> /dev/null) || exit 1
echo "$shown" | grep -q 'write-\|unconfined' && exit 2
echo "$shown" | grep -q read-cluster && echo "$shown" | grep -q read-events || exit 1
