#!/usr/bin/env python3
"""A right server, for the tests of the grader: asyncio."""
import asyncio
import os
import signal
import sys


async def serve(reader, writer):
    try:
        if await reader.read(65536):
            writer.write(b"ack\n")
        writer.write_eof()
        while await reader.read(65536):
            pass
    except OSError:
        pass
    writer.close()


async def main():
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: os._exit(0))
    print("listening on 127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
