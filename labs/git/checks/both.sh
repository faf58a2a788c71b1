cd /root/recipes || exit 1
text=$(git show main:soup.txt)
case $text in *'<<<<'*|*'>>>>'*|*'===='*) exit 2 ;; esac
echo "$text" | grep -q 'for 4 people' && echo "$text" | grep -q 'for 6 people'
