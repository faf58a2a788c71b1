lowest() { docker image inspect -f '{{index .RootFS.Layers 0}}' "$1" 2> /dev/null; }
[ -n "$(lowest greeter:1)" ] && [ "$(lowest greeter:1)" = "$(lowest tiny:1)" ]
