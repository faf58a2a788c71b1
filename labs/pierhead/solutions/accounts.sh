pierhead role add watcher read-cluster,read-events
echo another-long-password | pierhead account add "{{word}}" --role watcher --password-stdin
