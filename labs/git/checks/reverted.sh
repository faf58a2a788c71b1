cd /root/recipes || exit 1
! git show main:soup.txt | grep -q kilogram
