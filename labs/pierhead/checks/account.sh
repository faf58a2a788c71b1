pierhead account ls 2> /dev/null | grep -q "{{word}}" || exit 1
pierhead account ls 2> /dev/null | grep "{{word}}" | grep -q watcher || exit 2
