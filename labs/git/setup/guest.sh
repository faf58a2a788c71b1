cd /root/recipes || exit 1
git merge --abort 2> /dev/null
git checkout -q -f main
git branch -q -D guest 2> /dev/null
git checkout -q -b guest
echo "for 6 people" >> soup.txt
GIT_AUTHOR_NAME=Guest GIT_AUTHOR_EMAIL=guest@example.org git commit -q -a -m "Cook for six"
git checkout -q main
grep -q "for 4 people" soup.txt || { echo "for 4 people" >> soup.txt; git commit -q -a -m "Cook for four"; }
