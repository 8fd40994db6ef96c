/** What the gateway counts of itself, as verbs of its domain. */

/** Everything that is counted, with what it means. */
export const COUNTERS = {
  messages: 'messages heard from sources',
  messages_too_large: 'messages beyond limits.event_size, announced as a gap',
  messages_not_an_envelope: 'payloads on envelope channels that were taken as data, since they are no envelope',
  types_left_out: 'event types that could not go on the wire',
  ids_left_out: "publishers' ids that could not go on the wire",
  streams_opened: 'subscriptions that were opened',
  streams_ended: 'subscriptions that ended',
  streams_refused: 'subscriptions that were told to come back because the gateway was full',
  streams_refused_by_address:
    'subscriptions that were told to come back because their address had limits.connections_per_ip of them',
  gaps: 'gaps that were announced to subscribers',
  connections_dropped: 'connections that did not fit into the limit of open files',
  published: 'messages that were accepted for publishing',
  publishes_refused_by_rate:
    'events that were not taken because their client published faster than limits.publish_rate',
  config_reloads: 'configurations that were taken while running',
  config_reload_failed: 'configurations that could not be taken while running, so that the one before stayed',
} as const;

export type Counter = keyof typeof COUNTERS;

/** Counts. Costs an addition. */
export class Metrics {
  readonly #counts = new Map<Counter, number>();

  count(counter: Counter, by = 1): void {
    this.#counts.set(counter, (this.#counts.get(counter) ?? 0) + by);
  }

  /** How often something was counted since the start. */
  read(counter: Counter): number {
    return this.#counts.get(counter) ?? 0;
  }
}
