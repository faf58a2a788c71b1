cd /root/recipes 2> /dev/null && [ -d .git ] || exit 1
[ -n "$(git config user.name)" ] && [ -n "$(git config user.email)" ] || exit 2
