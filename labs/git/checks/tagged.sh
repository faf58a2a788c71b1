git --git-dir=/root/recipes/.git rev-parse -q --verify refs/tags/v1 > /dev/null || exit 1
git --git-dir=/srv/recipes.git rev-parse -q --verify refs/tags/v1 > /dev/null || exit 2
