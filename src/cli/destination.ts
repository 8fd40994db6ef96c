/** Where `publish` writes to: a gateway, or a source itself. */
import type { Message } from '../event.ts';
import type { CommandEnd } from './exit.ts';

/** What became of one event. A failure that is `outcome-unknown` may have been published all the same. */
export type Sent =
  | { readonly kind: 'published'; readonly answer: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failed'; readonly end: CommandEnd };

/** Takes the events of one channel. What is aborted on its way is a failure whose outcome is unknown. */
export interface Destination {
  publish(message: Message, signal: AbortSignal): Promise<Sent>;
  /** In order. Gives what became of each that was sent; none is sent behind a batch in which one failed. */
  publishAll(messages: readonly Message[], signal: AbortSignal): Promise<readonly Sent[]>;
  close(): Promise<void>;
}
