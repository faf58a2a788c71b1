git config --global user.name "Ada Student"
git config --global user.email ada@example.org
git config --global init.defaultBranch main
mkdir -p /root/recipes && cd /root/recipes && git init -q
echo "secret ingredient: {{word}}" > soup.txt
git add soup.txt
git commit -q -m "Add the soup"
