cd /root/recipes 2> /dev/null && git rev-parse -q --verify HEAD > /dev/null || exit 1
git show HEAD:soup.txt 2> /dev/null | grep -q "{{word}}" || exit 2
[ -z "$(git status --porcelain)" ] || exit 3
