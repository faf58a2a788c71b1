bytes=$(docker inspect -f '{{.HostConfig.Memory}}' "{{word}}" 2> /dev/null) || exit 1
[ "$bytes" -gt 0 ] && [ "$bytes" -le 67108864 ]
