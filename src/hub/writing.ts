/** How a message is written to what a channel reads: as itself, as a payload in the channel's format, or as an entry. */
import { createHash } from 'node:crypto';
import { compose } from '../channel/format.ts';
import { composeEntry } from '../channel/reading.ts';
import type { Message } from '../event.ts';
import type { EntryWriting, Once } from '../source/source.ts';
import type { Plan } from './plan.ts';

/** What a source is given to publish. */
export interface Written {
  readonly message: Message;
  /** Only for streams. */
  readonly entry?: EntryWriting;
}

/** What to publish for a message. Throws UsageError where an envelope cannot carry it. */
export function writingOf(plan: Pick<Plan, 'feed' | 'reading' | 'publish'>, message: Message): Written {
  const { feed, reading, publish } = plan;
  switch (feed.kind) {
    case 'memory':
      return { message };
    case 'stream':
      return { message, entry: { ...publish, fields: composeEntry(reading, message) } };
    case 'key':
      return { message: { data: message.data ?? Buffer.alloc(0) } };
    case 'pubsub':
    case 'pattern':
      return { message: { data: compose(reading.format, message) } };
    default:
      return feed.kind satisfies never;
  }
}

/** By what a repeat of a publish with this key is known: the same, however it comes to the source. */
export function onceWith(key: string, { idempotency }: Pick<Plan, 'idempotency'>, message: Message): Once {
  const hash = createHash('sha256').update(JSON.stringify([message.type, message.id, message.end]));
  const fingerprint = hash.update(message.data ?? '').digest('base64');
  return { key, fingerprint, keep: idempotency };
}
