state=$(docker inspect -f '{{.State.Running}}' "{{word}}" 2> /dev/null) || exit 1
[ "$state" = true ] || exit 2
