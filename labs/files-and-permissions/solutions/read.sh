chmod 400 /srv/vault/word.txt
cat /srv/vault/word.txt > /root/answer.txt
