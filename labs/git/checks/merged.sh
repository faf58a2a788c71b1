cd /root/recipes || exit 1
[ -e .git/MERGE_HEAD ] && exit 2
git merge-base --is-ancestor guest main
