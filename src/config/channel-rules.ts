/** What must hold between the keys of one channel. */
import type { RawChannel } from './channel-schema.ts';
import type { Conflict, Rule } from './rule.ts';

/** All of them. */
export const CHANNEL_RULES: readonly Rule[] = [
  rule('`max_rate` needs `conflate`: of a channel that keeps every event none may be left out.', (channel) => {
    if (channel.max_rate === undefined || channel.conflate !== false || channel.key !== undefined) return;
    const message = 'without conflate every event is sent, so there is nothing to leave out';
    return { keys: ['max_rate', 'conflate'], message, hint: 'add conflate: true, or take the line out' };
  }),
  rule('`ids: publisher` needs `format: envelope` or `memory: true`: a text payload brings no id.', (channel) => {
    const { ids, format, memory } = channel;
    if (ids === 'gateway' || memory || format === 'envelope' || resumesByItself(channel)) return;
    const message = 'publisher needs messages that bring an id, and a text payload brings none';
    const hint = 'add format: envelope, or take the line out';
    return { keys: ['ids', 'format', 'memory'], message, hint };
  }),
  rule('`ids: publisher` is not for streams and keys, whose own position is what a client resumes from.', (channel) => {
    if (channel.ids === 'gateway' || !resumesByItself(channel)) return;
    const kind = channel.stream === undefined ? 'key' : 'stream';
    const message = `the SSE id of a ${kind} is the position that a client resumes from; from another it could not`;
    const hint = `take the line out${kind === 'stream' ? "; envelope=1 shows the publisher's id" : ''}`;
    return { keys: ['ids', kind], message, hint };
  }),
  rule('`format: envelope` is not for keys: what a key holds is the data.', ({ format, key }) => {
    if (format === 'text' || key === undefined) return;
    const message = 'what a key holds is the data, whatever it looks like';
    return { keys: ['format', 'key'], message, hint: 'take the line out' };
  }),
  rule('`end_after` needs `stream` or `memory: true`: nothing else has an end.', (channel) => {
    if (channel.end_after === 0 || channel.memory || channel.stream !== undefined) return;
    const message = `${channel.key === undefined ? 'pub/sub keeps no events, so silence' : 'a key that does not change'} is no end`;
    return {
      keys: ['end_after', 'stream', 'memory'],
      message,
      hint: 'take the line out, or use stream or memory: true',
    };
  }),
  rule('The names in `fields` differ.', ({ fields }) => {
    const names = Object.entries(fields ?? {});
    const twice = names.find(([, name], index) => names.findIndex(([, other]) => other === name) < index);
    const first = names.find(([, name]) => name === twice?.[1]);
    if (twice === undefined || first === undefined) return;
    const message = `"${twice[1]}" is the name of both the ${first[0]} and the ${twice[0]} field`;
    return { keys: [`fields.${twice[0]}`, `fields.${first[0]}`], message, hint: 'give one of them another name' };
  }),
];

/** What is wrong in a channel: the key to change comes first, then what it was held against. */
interface Wrong {
  readonly keys: readonly [string, ...string[]];
  readonly message: string;
  readonly hint: string;
}

/** A rule that looks at each channel alone. */
function rule(text: string, check: (channel: RawChannel) => Wrong | undefined): Rule {
  return {
    text,
    check: ({ channels }) =>
      [...(channels ?? [])].flatMap(([name, channel]): Conflict[] => {
        const wrong = check(channel);
        if (wrong === undefined) return [];
        const [path = [], ...others] = wrong.keys.map((key) => ['channels', name, ...key.split('.')]);
        return [{ path, others, message: wrong.message, hint: wrong.hint }];
      }),
  };
}

function resumesByItself({ stream, key }: RawChannel): boolean {
  return stream !== undefined || key !== undefined;
}
