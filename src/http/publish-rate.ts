/** Bounds how fast one client may publish over HTTP. */
import type { IncomingMessage } from 'node:http';
import type { Credential } from '../auth/policy.ts';
import type { Clock } from '../clock.ts';
import type { ClientAddresses } from './client-address.ts';
import { RequestRefused } from './problem.ts';

/** What may come at once after a rest: as much as is allowed in this time, in milliseconds. */
const BURST_MS = 1000;
/** How often it is looked for clients that have rested, in milliseconds. */
const FORGET_EVERY_MS = 1000;

/**
 * Each event moves the time up to which its client has used its rate (the generic cell rate algorithm of ITU-T I.371):
 * one number for each client that has published within the last seconds, and none for the others.
 */
export class PublishRate {
  readonly #clock: Clock;
  #rate = 0;
  #addresses: ClientAddresses | undefined;
  readonly #usedUntil = new Map<string, number>();
  #forgotAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Goes by this from now on. `rate`: events a second of one address; 0 for no limit, and then nothing is looked at. */
  limit(rate: number, addresses: ClientAddresses): void {
    this.#rate = rate;
    this.#addresses = addresses;
    this.#usedUntil.clear();
  }

  /** How many clients have something to wait for. */
  get size(): number {
    return this.#usedUntil.size;
  }

  /**
   * Counts events that are about to be written. Throws RequestRefused (429) where that would be too fast; then nothing
   * of the request may be written. More than fit into one second pass together after a rest, and are waited for
   * afterwards. The command line of this user is not counted.
   */
  spend(request: IncomingMessage, credential: Credential, events = 1): void {
    if (this.#rate === 0 || credential === 'local-key') return;
    const address = this.#addresses?.of(request);
    if (address === undefined) return;
    const now = this.#clock.now();
    this.#forget(now);
    const used = Math.max(now, this.#usedUntil.get(address) ?? 0);
    const cost = (events * 1000) / this.#rate;
    const wait = used - now - (BURST_MS - Math.min(cost, BURST_MS));
    if (wait > 0) throw this.#refusal(wait);
    this.#usedUntil.set(address, used + cost);
  }

  #refusal(wait: number): RequestRefused {
    const detail = `this client publishes more than limits.publish_rate allows, ${this.#rate} events a second; nothing was written`;
    return new RequestRefused(429, 'publish-rate', detail, { 'Retry-After': String(Math.ceil(wait / 1000)) });
  }

  #forget(now: number): void {
    if (now - this.#forgotAt < FORGET_EVERY_MS) return;
    this.#forgotAt = now;
    for (const [address, until] of this.#usedUntil) if (until <= now) this.#usedUntil.delete(address);
  }
}
