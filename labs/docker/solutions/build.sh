mkdir -p /srv/greeter
printf 'FROM tiny:1\nCOPY greet.sh /bin/greet\nCMD ["/bin/sh", "/bin/greet"]\n' > /srv/greeter/Dockerfile
echo 'echo "hello {{word}}"' > /srv/greeter/greet.sh
docker build -t greeter:1 /srv/greeter
