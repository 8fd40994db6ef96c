/** Publishing through a gateway. */
import { Batches } from '../client/batches.ts';
import type { Gateway } from '../client/exchange.ts';
import { type PublishOutcome, publish } from '../client/publish.ts';
import { systemClock } from '../clock.ts';
import type { Destination, Sent } from './destination.ts';
import { endOfRefusal, endOfUnreachable } from './refused.ts';

/** How long each answer may take, in milliseconds, and by what the gateway knows a repeat. */
interface GatewayOptions {
  readonly timeout: number;
  readonly idempotencyKey: string | undefined;
}

/** A channel of a gateway. Nothing is asked before something is published. */
export function openGateway(gateway: Gateway, channel: string, options: GatewayOptions): Destination {
  const { timeout, idempotencyKey } = options;
  const batches = new Batches(gateway, { timeout, clock: systemClock });
  return {
    publish: async (message, signal) =>
      sentOf(
        await publish(gateway, { channel, ...message }, { timeout, idempotencyKey, clock: systemClock, signal }),
        idempotencyKey,
      ),
    publishAll: async (messages, signal) => {
      const publications = messages.map((message) => ({ channel, ...message }));
      return (await batches.publish(publications, signal)).map((outcome) => sentOf(outcome, undefined));
    },
    close: () => batches.close(),
  };
}

function sentOf(outcome: PublishOutcome, idempotencyKey: string | undefined): Sent {
  switch (outcome.kind) {
    case 'published':
      return outcome;
    case 'refused':
      return { kind: 'failed', end: endOfRefusal(outcome.refusal) };
    case 'unreachable':
      return { kind: 'failed', end: endOfUnreachable(outcome.reason) };
    case 'unknown':
      return {
        kind: 'failed',
        end: { exit: 'outcome-unknown', message: outcome.reason, hint: hintOf(idempotencyKey) },
      };
    default:
      return outcome satisfies never;
  }
}

function hintOf(idempotencyKey: string | undefined): string {
  return idempotencyKey === undefined
    ? 'look at the channel before you publish it again; nothing was sent twice'
    : 'publish it again with the same --idempotency-key: a gateway that has it already does not take it twice';
}
