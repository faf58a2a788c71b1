cd /root/recipes || exit 1
git log --format=%s main | grep -qx 'Season the soup' || exit 2
git cat-file -e main:herbs.txt 2> /dev/null || exit 3
! git show main:soup.txt | grep -q kilogram
