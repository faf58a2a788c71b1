cd /root/recipes || exit 1
git remote add origin /srv/recipes.git
git push -q -u origin main
git tag v1
git push -q origin v1
