/** Writes an answer into a Redis stream, a few letters at a time, as a language model does. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** What is answered to every question. */
export const ANSWER = `A stream of tokens is a log with one writer and a few readers, and a log can be read again.

The writer adds each token to a Redis stream: XADD answer:ID * data "…". It does not know who reads, how many read, or \
whether anybody does. When the last token is written, it adds one entry more, which says that this is the end.

A browser reads the log over Server-Sent Events. Every event has an id. So when a connection breaks, the browser comes \
back by itself and goes on behind the last token it has. When the page is loaded again, it has no id yet, and gets the \
answer from its first word. And when the gateway is restarted, nothing is lost: what was written is in Redis, not in the \
gateway.

In none of these cases is a token lost, and in none does one come twice. If a part of the log itself is gone, trimmed or \
deleted, no program can bring it back: then there is a gap event at that place, and the page shows it there.

That is all: no queue for each reader, no sticky sessions, and one line of code for each token.

Ça marche.`;

/** A token, and the white space in front of it. */
const TOKEN = /\s*\S{1,5}/gu;

/** How long an answer is kept, in seconds. */
const KEPT_SECONDS = 3600;

/** Writes the question and the answer to `answer:{id}`, with `pace` ms between two tokens on average. */
export async function writeAnswer(redis: Redis, id: string, question: string, pace: number): Promise<void> {
  const stream = `answer:${id}`;
  await redis.xadd(stream, '*', 'event', 'question', 'data', question);
  await redis.expire(stream, KEPT_SECONDS);
  for (const token of ANSWER.match(TOKEN) ?? []) {
    await pause(pace * 2 * Math.random());
    await redis.xadd(stream, '*', 'data', token);
  }
  await redis.xadd(stream, '*', 'end', 'true');
}
