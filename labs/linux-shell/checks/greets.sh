one=$(/root/greet.sh "{{word}}" 2>/dev/null) || exit 1
two=$(/root/greet.sh Linus 2>/dev/null)
[ "$one" = "Hello, {{word}}!" ] && [ "$two" = "Hello, Linus!" ] && exit 0
[ "$one" = "$two" ] && exit 2
exit 1
