said=$(docker run --rm greeter:1 2> /dev/null) || exit 1
[ "$said" = "hello {{word}}" ] || exit 2
