/** Why a subscription ends: one table for log, metric and client. */

/** One reason: what happened, for the log. */
interface Ending {
  readonly text: string;
}

/** All endings, by the name that log and metric carry. */
export const ENDINGS = {
  'client-left': { text: 'the client closed the connection' },
  'client-error': { text: 'the connection broke' },
  stalled: { text: 'bytes were pending and the client took none for limits.client_stall' },
  crowded: { text: 'slow clients kept limits.buffered_total in memory, and this one the most' },
  'second-request': { text: 'the client sent more on a socket that carries a stream' },
  'max-age': { text: 'the connection reached server.max_connection_age; the client resumes' },
  drain: { text: 'the gateway is stopping; the client resumes' },
  ended: { text: 'every channel of the subscription has ended' },
  'crowded-address': { text: 'its address has limits.connections_per_ip streams already; the client comes back' },
  reloaded: { text: 'the configuration was reloaded and its channel reads something else; the client resumes' },
  'not-allowed': { text: 'the configuration was reloaded and does not allow it any more' },
  overload: { text: 'the gateway is full; the client comes back' },
} as const satisfies Record<string, Ending>;

export type EndingName = keyof typeof ENDINGS;
