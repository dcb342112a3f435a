#!/usr/bin/env python3
"""A wrong server, for the tests of the grader: an error of one client ends it, with a traceback."""
import socket
import sys

listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    client = listener.accept()[0]
    if client.recv(65536):
        client.sendall(b"ack\n")
    client.shutdown(socket.SHUT_WR)
    while client.recv(65536):
        pass
    client.close()
