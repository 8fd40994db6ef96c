"""An application that does what flask-sse 1.0 does: one Redis subscription for each stream, JSON on the channel."""

import json

from flask import Flask, Response, request
from redis import StrictRedis


def create(redis_port):
    app = Flask(__name__)
    redis = StrictRedis(port=redis_port)

    @app.get("/events/<channel>")
    def stream(channel):
        return Response(events(redis, channel), mimetype="text/event-stream")

    @app.post("/publish/<channel>")
    def publish(channel):
        redis.publish(channel, json.dumps({"data": request.get_data(as_text=True)}))
        return "published"

    return app


def events(redis, channel):
    pubsub = redis.pubsub()
    pubsub.subscribe(channel)
    for message in pubsub.listen():
        if message["type"] == "message":
            data = json.loads(message["data"])["data"]
            yield "".join("data:" + line + "\n" for line in data.splitlines()) + "\n"
        else:
            yield ":\n\n"  # flask-sse says nothing here: the bench must know when the stream is open
