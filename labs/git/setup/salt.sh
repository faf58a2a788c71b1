cd /root/recipes || exit 1
git merge --abort 2> /dev/null
git checkout -q -f main
grep -q 'kilogram' soup.txt && exit 0
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@example.org
sed -i '1s/^/1 kilogram of salt\n/' soup.txt
git commit -q -a -m "Season the soup"
echo "basil, thyme" > herbs.txt
git add herbs.txt && git commit -q -m "Add herbs"
