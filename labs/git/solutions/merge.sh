cd /root/recipes || exit 1
git merge guest
printf 'secret ingredient: {{word}}\nfor 4 people\nfor 6 people\n' > soup.txt
git add soup.txt
git commit -q --no-edit
