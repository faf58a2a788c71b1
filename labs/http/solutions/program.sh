mkdir -p /srv/www/cgi-bin
cat > /srv/www/cgi-bin/hello <<'END'
#!/bin/sh
echo "Content-Type: application/json"
echo
printf '{"hello": "%s"}\n' "$QUERY_STRING"
END
chmod +x /srv/www/cgi-bin/hello
