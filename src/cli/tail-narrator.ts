/** What `tail` says on stderr: the state of the connection once for each change, and every gap. */
import type { GatewayAddress } from '../client/address.ts';
import type { FollowItem } from '../client/follow.ts';
import type { StreamEvent } from '../client/parser.ts';
import { parseObject } from '../client/refusal.ts';
import { say } from './terminal.ts';

/** Follows the items of one `tail`. */
export class Narrator {
  readonly #address: GatewayAddress;
  readonly #channels: readonly string[];
  /** Whether there was a connection at any time. */
  everConnected = false;
  #state: 'new' | 'connected' | 'cut' = 'new';

  constructor(address: GatewayAddress, channels: readonly string[]) {
    this.#address = address;
    this.#channels = channels;
  }

  /** Says what is worth it. */
  tell(item: FollowItem): void {
    switch (item.kind) {
      case 'connected':
        this.#connected();
        break;
      case 'cut':
        this.#cut(item.reason, item.ms);
        break;
      case 'events':
        for (const event of item.events) this.#event(event);
        break;
      default:
        item satisfies never;
    }
  }

  #connected(): void {
    this.everConnected = true;
    if (this.#state === 'cut') say('connected again');
    if (this.#state === 'new') say(`following ${this.#channels.join(', ')} on ${this.#address.text}`);
    this.#state = 'connected';
  }

  /** A gateway that stays away is not reported at every attempt. */
  #cut(reason: string, ms: number): void {
    if (this.#state !== 'cut')
      say(`not connected: ${reason}; trying again in ${(ms / 1000).toFixed(1)} s and from then on`);
    this.#state = 'cut';
  }

  #event({ type, data }: StreamEvent): void {
    if (type === 'gateway.gap') say(describeGap(data));
    if (type === 'gateway.end') say(describeEnd(data));
    if (type === 'gateway.deleted') say(`the key of ${channelIn(data)} is gone`);
    if (type === 'gateway.expiring') say('the credential ends soon; the connection ends with it');
    if (type === 'gateway.open') describePending(data);
  }
}

function describeGap(data: string): string {
  const gap = parseObject(data);
  const lost = gap?.['lost'];
  const what =
    typeof lost === 'number' ? `${lost} ${lost === 1 ? 'event is' : 'events are'} missing` : 'events may be missing';
  const after = gap?.['after'];
  const where = typeof after === 'string' ? `, after ${after}` : '';
  return `gap in ${channelIn(data)}: ${what} here (${String(gap?.['reason'] ?? 'unknown')})${where}`;
}

function describeEnd(data: string): string {
  return `${channelIn(data)} has ended (${String(parseObject(data)?.['reason'] ?? 'unknown')})`;
}

function channelIn(data: string): string {
  return String(parseObject(data)?.['channel'] ?? 'the channel');
}

/** A source that is away: the stream is open, but nothing can come yet. */
function describePending(data: string): void {
  const pending = parseObject(data)?.['pending'];
  if (Array.isArray(pending) && pending.length > 0) say(`waiting for the source of ${pending.map(String).join(', ')}`);
}
