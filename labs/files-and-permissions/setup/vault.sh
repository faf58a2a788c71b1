mkdir -p /srv/vault
rm -f /srv/vault/word.txt
echo "{{secret}}" > /srv/vault/word.txt
chmod 000 /srv/vault/word.txt
