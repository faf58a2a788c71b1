"""A terminal of terminado that says what it hears, key by key, on a port of its own choice."""

import sys

import terminado
import tornado.httpserver
import tornado.ioloop
import tornado.netutil
import tornado.web

shell = ["sh", "-c", "stty raw -echo; echo ready; exec cat"]
terminals = terminado.SingleTermManager(shell_command=shell)
routes = [(r"/websocket", terminado.TermSocket, {"term_manager": terminals})]
sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
tornado.httpserver.HTTPServer(tornado.web.Application(routes)).add_sockets(sockets)
print(sockets[0].getsockname()[1])
sys.stdout.flush()
tornado.ioloop.IOLoop.current().start()
