#!/usr/bin/env python3
"""A wrong server, for the tests of the grader: socketserver as it is, with its backlog of 5."""
import os
import signal
import socket
import socketserver
import sys


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            if self.request.recv(65536):
                self.request.sendall(b"ack\n")
            self.request.shutdown(socket.SHUT_WR)
            while self.request.recv(65536):
                pass
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server = Server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler)
print("listening on 127.0.0.1:%d" % server.server_address[1], flush=True)
server.serve_forever()
