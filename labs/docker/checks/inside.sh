[ "$(docker exec "{{word}}" /bin/cat /tmp/note 2> /dev/null)" = "{{word}}" ]
