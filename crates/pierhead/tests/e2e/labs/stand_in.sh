#!/bin/sh
# stand_in.sh ROOT KIND [FILE]: a root file system that stands for an image of a registry, made of this machine's own programs.
# Says what is missing and ends with 3 if this machine lacks what it takes.
set -eu
root=$1 kind=$2
PATH=$PATH:/usr/sbin:/sbin

lacks() { echo "this machine has no $1"; exit 3; }

# A file at its own place, and what it is linked with.
put() {
  for file in "$@"; do
    [ -e "$file" ] || lacks "$file"
    real=$(readlink -f "$file")
    mkdir -p "$root$(dirname "$file")" "$root$(dirname "$real")"
    [ -e "$root$real" ] || cp "$real" "$root$real"
    [ "$real" = "$file" ] || [ -e "$root$file" ] || ln -sf "$real" "$root$file"
    for library in $(ldd "$real" 2> /dev/null | grep -o '/[^ )]*' || :); do
      [ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; }
    done
  done
}

program() { for name in "$@"; do found=$(command -v "$name") || lacks "$name"; put "$found"; done; }

box=$(command -v busybox) || lacks busybox
mkdir -p "$root/bin" "$root/etc" "$root/root" "$root/srv" "$root/var/lib" "$root/run" "$root/usr/bin" "$root/lib64"
mkdir -m 1777 "$root/tmp"
cp -L "$box" "$root/bin/busybox"
for applet in $("$box" --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
printf 'root:x:0:0:root:/root:/bin/sh\nmysql:x:999:999::/var/lib/mysql:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\nmysql:x:999:\nnogroup:x:65534:\n' > "$root/etc/group"
ln -s ../../bin/env "$root/usr/bin/env"

case $kind in
  busybox) ;;
  git)
    program git
    path=$(git --exec-path)
    mkdir -p "$root$path"
    # They are all one program.
    own=$(readlink -f "$(command -v git)")
    for name in git git-merge git-revert; do ln -sf "$own" "$root$path/$name"; done
    for name in git-receive-pack git-upload-pack; do ln -sf "$own" "$root/usr/bin/$name"; done
    ;;
  python)
    interpreter=$(readlink -f "$(command -v /usr/bin/python3)") || lacks python3
    put "$interpreter"
    ln -s "$interpreter" "$root/usr/bin/python3"
    library=/usr/lib/$(basename "$interpreter")
    mkdir -p "$root/usr/lib"
    cp -r "$library" "$root/usr/lib/"
    rm -rf "$root$library/test" "$root$library/idlelib" "$root$library/ensurepip"
    for module in "$library"/lib-dynload/_csv*.so "$library"/lib-dynload/_json*.so; do [ -e "$module" ] && put "$module"; done
    ;;
  mariadb)
    program mariadbd mariadb
    share=/usr/share/mysql
    [ -d "$share" ] || share=/usr/share/mariadb
    [ -d "$share" ] || lacks "the files of mariadb-server"
    mkdir -p "$root$share" "$root/var/lib/mysql" "$root/run/mysqld"
    cp -r "$share/charsets" "$share/english" "$root$share/"
    cp "$share"/*.sql "$root$share/"
    # As the image's own program does: an empty database of the name that it is given, root without a password.
    cat > "$root/bin/start-mariadb" <<'END'
#!/bin/sh
set -e
share=/usr/share/mysql; [ -d $share ] || share=/usr/share/mariadb
if [ ! -d /var/lib/mysql/mysql ]; then
  # A statement a line, as the server takes them here.
  { printf 'CREATE DATABASE mysql;\nUSE mysql;\n'
    printf 'SET @auth_root_socket=NULL;\nSET @skip_auth_anonymous=1;\nSET @current_hostname="localhost";\n'
    for part in mysql_system_tables.sql mariadb_system_tables.sql mysql_performance_tables.sql mariadb_performance_tables.sql; do
      [ -e $share/$part ] && cat $share/$part; done
    for part in mysql_system_tables_data.sql mariadb_system_tables_data.sql; do [ -e $share/$part ] && cat $share/$part; done
  } > /tmp/bootstrap.sql
  mariadbd --no-defaults --bootstrap --datadir=/var/lib/mysql --lc-messages-dir=$share --character-sets-dir=$share/charsets < /tmp/bootstrap.sql
fi
echo "CREATE DATABASE IF NOT EXISTS $MARIADB_DATABASE;" > /tmp/init.sql
exec mariadbd --no-defaults --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock --lc-messages-dir=$share \
  --character-sets-dir=$share/charsets --init-file=/tmp/init.sql --innodb-use-native-aio=0 --innodb-log-file-size=8M
END
    chmod 755 "$root/bin/start-mariadb"
    chown -R 999:999 "$root/var/lib/mysql" "$root/run/mysqld"
    ;;
  docker)
    program dockerd docker containerd containerd-shim-runc-v2 runc iptables ip
    for name in docker-init tini docker-proxy docker-containerd xtables-legacy-multi xtables-nft-multi mkfs.ext4; do
      found=$(command -v "$name" || :)
      [ -z "$found" ] || put "$found"
    done
    for folder in /usr/lib/*/xtables; do
      [ -d "$folder" ] || continue
      mkdir -p "$root$folder"
      cp "$folder"/*.so "$root$folder/"
      put "$folder"/libxt_conntrack.so
    done
    rm -f "$root/bin/iptables" "$root/bin/ip"
    ;;
  pierhead)
    put "$3"
    mkdir -p "$root/usr/local/bin"
    strip -o "$root/usr/local/bin/pierhead" "$3" 2> /dev/null || cp "$3" "$root/usr/local/bin/pierhead"
    rm -f "$root$3"
    ;;
  *) echo "no such kind: $kind" >&2; exit 1 ;;
esac
