"""Follows an event stream with one of Python's HTTP libraries and prints a line of JSON for each event.

Usage: follow.py LIBRARY URL, or follow.py SAMPLE URL [TOKEN], where SAMPLE is a file with a function follow(url, token).
"""

import asyncio
import importlib.util
import json
import sys
import time

FAILURES = (OSError, EOFError)


def urllib_pieces(url, headers):
    import http.client
    import urllib.request

    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=45) as response:
            while piece := response.read1():
                yield piece
    except http.client.HTTPException:
        pass


def httpx_pieces(url, headers):
    import httpx

    try:
        with httpx.stream("GET", url, headers=headers, timeout=45) as response:
            yield from response.iter_raw()
    except httpx.TransportError:
        pass


def aiohttp_pieces(url, headers):
    import aiohttp

    async def pieces():
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            async for piece in response.content.iter_any():
                yield piece

    with asyncio.Runner() as runner:
        stream = pieces()
        try:
            while True:
                yield runner.run(anext(stream))
        except (StopAsyncIteration, aiohttp.ClientError):
            pass


def lines_of(pieces):
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in lines)


def follow(pieces_of, url):
    headers, retry = {"Accept": "text/event-stream"}, 2.0
    while True:
        event = {}
        try:
            for line in lines_of(pieces_of(url, headers)):
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name == "retry":
                    retry = int(value) / 1000
                elif name == "data":
                    event.setdefault("data", []).append(value)
                elif name in ("event", "id"):
                    event[name] = value
                elif not line and event:
                    headers["Last-Event-ID"] = event.get("id", headers.get("Last-Event-ID", ""))
                    yield event.get("event", "message"), "\n".join(event["data"]), event.get("id")
                    event = {}
        except FAILURES:
            pass
        time.sleep(retry)


def sample_follow(path, url, *token):
    spec = importlib.util.spec_from_file_location("sample", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.follow(url, *token)


LIBRARIES = {"urllib": urllib_pieces, "httpx": httpx_pieces, "aiohttp": aiohttp_pieces}

if __name__ == "__main__":
    library, *rest = sys.argv[1:]
    events = follow(LIBRARIES[library], *rest) if library in LIBRARIES else sample_follow(library, *rest)
    for kind, data, cursor in events:
        print(json.dumps({"type": kind, "data": data, "id": cursor}), flush=True)
