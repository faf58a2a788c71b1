cd /root/recipes && [ "$(git remote get-url origin 2> /dev/null)" = /srv/recipes.git ]
