printf '#!/bin/sh\necho "Hello, $1!"\n' > /root/greet.sh
chmod +x /root/greet.sh
