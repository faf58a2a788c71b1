pierhead --url http://127.0.0.1:8080 cluster info > /dev/null 2>&1 && exit 0
# Who is not logged in is refused, and by that it answers.
pierhead --url http://127.0.0.1:8080 cluster info 2>&1 | grep -q -i 'log in\|token'
