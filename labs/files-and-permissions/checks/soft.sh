[ -L /srv/papers/current ] || exit 1
[ "$(readlink -f /srv/papers/current)" = /srv/papers/version-2 ] || exit 2
