[ -f "/root/{{word}}/note.txt" ] || exit 1
grep -q "{{word}}" "/root/{{word}}/note.txt" || exit 2
