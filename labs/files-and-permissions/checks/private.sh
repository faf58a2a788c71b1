[ "$(stat -c %a /srv/archive/drafts)" = 700 ] || exit 1
for file in /srv/archive/drafts/*; do
  [ "$(stat -c %a "$file")" = 600 ] || exit 2
done
