there=$(git --git-dir=/srv/recipes.git rev-parse -q --verify refs/heads/main) || exit 1
[ "$there" = "$(git --git-dir=/root/recipes/.git rev-parse main)" ] || exit 2
