[ "$(docker run --rm tiny:1 /bin/busybox echo "{{word}}" 2> /dev/null)" = "{{word}}" ]
