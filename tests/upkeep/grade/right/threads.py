#!/usr/bin/env python3
"""A right server, for the tests of the grader: Python's sockets, a thread for each client."""
import os
import signal
import socket
import sys
import threading
import time


def serve(client):
    with client:
        try:
            if client.recv(65536):
                client.sendall(b"ack\n")
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
while True:
    try:
        client = listener.accept()[0]
    except OSError:
        time.sleep(0.01)
        continue
    threading.Thread(target=serve, args=(client,), daemon=True).start()
