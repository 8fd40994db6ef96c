/** Keys that a channel cannot have for what it reads, and why: each is refused where it is written, nothing is ignored. */
import type { RawChannel } from './channel-schema.ts';
import type { FeedTemplate } from './channels.ts';
import type { Draft } from './draft.ts';

/** Notes what a channel has that means nothing where it is read. */
export function noteUnfit(draft: Draft, name: string, kind: FeedTemplate['kind'], channel: RawChannel): void {
  for (const { keys, when, message, hint } of UNFIT[kind]) {
    for (const key of keys) {
      const path = ['channels', name, ...key.split('.')];
      const written = draft.written(path) !== undefined && when?.(channel) !== false;
      if (written && !draft.problems.touch(path)) draft.note(path, message, hint.replace('KEY', key));
    }
  }
}

/** Why keys are refused. */
interface Unfit {
  /** Below the channel, with dots. In the hint `KEY` stands for the key. */
  readonly keys: readonly string[];
  /** Only where this holds. */
  readonly when?: (channel: RawChannel) => boolean;
  readonly message: string;
  readonly hint: string;
}

const OUT = 'take the line out';

const FIELDS: Unfit = {
  keys: ['fields'],
  message: 'has no meaning here: only the entries of a stream have fields',
  hint: 'take it out, or read a stream',
};

const CONFLATED: Unfit = {
  keys: ['history.events'],
  when: ({ conflate }) => conflate !== false,
  message: 'has no meaning with conflate, which keeps the newest event of each key and nothing else',
  hint: 'take it out, or set conflate.max_keys',
};

const CONFLATED_AGE: Unfit = {
  ...CONFLATED,
  keys: ['history.age'],
  message: 'has no meaning with conflate: what is newest stays, however old it is',
  hint: OUT,
};

const PUBSUB: readonly Unfit[] = [
  CONFLATED,
  CONFLATED_AGE,
  FIELDS,
  {
    keys: ['publish'],
    message: 'has no meaning here: Redis pub/sub keeps nothing and cannot tell that a publish is repeated',
    hint: 'take it out, or use stream or memory: true',
  },
];

const UNFIT: Readonly<Record<FeedTemplate['kind'], readonly Unfit[]>> = {
  memory: [
    {
      keys: ['source', 'pubsub', 'pattern', 'stream', 'key'],
      message: 'a channel with memory: true reads no Redis',
      hint: 'keep either memory or KEY',
    },
    {
      keys: ['format'],
      message:
        'has no meaning for a channel with memory: true: whoever publishes to it says type and id beside the data',
      hint: OUT,
    },
    {
      keys: ['linger'],
      message: 'has no meaning for a channel with memory: true, which lives until its history has aged out',
      hint: 'set history.age',
    },
    {
      keys: ['follow'],
      when: ({ follow }) => follow === 'always',
      message: 'has no meaning for a channel with memory: true, which is in this process from its first event on',
      hint: OUT,
    },
    CONFLATED,
    FIELDS,
    {
      keys: ['publish.maxlen', 'publish.expire'],
      message: 'has no meaning for a channel with memory: true: it is for what a Redis stream keeps',
      hint: 'set history',
    },
  ],
  pubsub: PUBSUB,
  pattern: PUBSUB,
  stream: [CONFLATED, CONFLATED_AGE],
  key: [
    FIELDS,
    {
      keys: ['publish'],
      message: 'has no meaning here: a key holds its newest value, so nothing is kept or repeated',
      hint: OUT,
    },
    {
      keys: ['history'],
      message: 'has no meaning here: a key holds its newest value, and nothing older can be resumed from',
      hint: OUT,
    },
    {
      keys: ['conflate'],
      when: ({ conflate }) => conflate === false,
      message: 'a key is always conflated: Redis has only its newest value',
      hint: OUT,
    },
    {
      keys: ['conflate'],
      when: ({ conflate }) => typeof conflate !== 'boolean',
      message: 'a key holds one value, so there are no others to tell it from',
      hint: OUT,
    },
    {
      keys: ['replay'],
      when: ({ replay }) => replay.kind === 'none' || (replay.kind === 'last' && replay.count > 1),
      message: 'a client of a key always gets the value first, and there is only one',
      hint: OUT,
    },
  ],
};
