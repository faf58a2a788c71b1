docker run -d --name "{{word}}" -m 64m tiny:1 /bin/sleep 3600
docker exec "{{word}}" /bin/sh -c 'echo {{word}} > /tmp/note'
