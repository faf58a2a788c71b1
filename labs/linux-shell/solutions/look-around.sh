mkdir -p "/root/{{word}}"
echo "{{word}}" > "/root/{{word}}/note.txt"
