/**
 * One connection to a Redis server that comes back by itself.
 *
 * Every attempt is a client of its own, so that nothing of a link that was given up can reach the next one: no late
 * message, no command sent twice. A server that is stopped still accepts and holds TCP connections, so the link asks
 * by PING of its own and is given up when an answer does not come.
 */
import type { Socket } from 'node:net';
import { Redis } from 'ioredis';
import { type Cancel, type Clock, jitter, type Random } from '../clock.ts';
import type { RedisAddress, RedisDeployment } from '../config/redis-url.ts';
import type { Logger } from '../logger.ts';
import { type Primary, primaryOf } from './redis-primary.ts';

/** Who uses the link. */
export interface LinkUser {
  /** A new link stands and answers. */
  up(redis: Redis): void;
  /** The link that stood is gone. */
  down(): void;
}

/** What a link needs. */
export interface LinkOptions {
  /** Links that are given the same object share what they ask of Sentinels. */
  readonly address: RedisDeployment;
  /** What the connection is for, as it shows in the log and in Redis' CLIENT LIST. */
  readonly purpose: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Between two PINGs, and how long an answer may take: a stopped server is found within twice this. */
const PING_EVERY_MS = 5000;
/** A look that comes so late says more about this process, which was stopped or suspended, than about the server. */
const LATE_MS = 500;
const CONNECT_TIMEOUT_MS = 5000;
/** The first pause after a failure doubles up to the longest; a refused password waits at least a second. */
const BACKOFF_FIRST_MS = 100;
const BACKOFF_LONGEST_MS = 5000;
const BACKOFF_REFUSED_MS = 1000;

export class RedisLink {
  readonly #options: LinkOptions;
  readonly #user: LinkUser;
  /** Asked for the server where Sentinels know it; undefined where there is only one. */
  readonly #primary: Primary | undefined;
  #asking = false;
  /** The server of this attempt, or of the link that stands. */
  #server: RedisAddress | undefined;
  #redis: Redis | undefined;
  #up = false;
  #stopped = false;
  #attempts = 0;
  #error: string | undefined;
  #told: 'up' | 'down' | undefined;
  #awaitingPong = false;
  /** Bytes that had been read when the last PING was sent. */
  #bytesRead = 0;
  /** When it was last looked, on the monotonic clock. */
  #lookedAt = 0;
  #cancelTimer: Cancel = () => undefined;
  #leavePrimary: Cancel = () => undefined;

  constructor(options: LinkOptions, user: LinkUser) {
    this.#options = options;
    this.#user = user;
    const { address } = options;
    this.#primary = 'sentinel' in address ? primaryOf(address, options) : undefined;
  }

  /** The client of the link that stands; undefined while there is none. */
  get redis(): Redis | undefined {
    return this.#up ? this.#redis : undefined;
  }

  /** Why there is no link; undefined while there is one. */
  get problem(): string | undefined {
    return this.#up ? undefined : (this.#error ?? 'connecting');
  }

  start(): void {
    if (this.#primary !== undefined) this.#leavePrimary = this.#primary.join((server) => this.#moved(server));
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#leavePrimary();
    this.#redis?.disconnect();
    this.#redis?.stream?.destroy();
    this.#up = false;
  }

  /** Stops reading; the answer to a PING is not waited for meanwhile. */
  pause(): void {
    this.#awaitingPong = false;
    this.#redis?.stream?.pause();
  }

  resume(): void {
    this.#awaitingPong = false;
    this.#redis?.stream?.resume();
  }

  #connect(): void {
    const { address } = this.#options;
    if (!('sentinel' in address)) this.#open(address);
    else if (this.#primary !== undefined && !this.#asking) this.#find(this.#primary);
  }

  #find(primary: Primary): void {
    this.#asking = true;
    primary.find().then(
      (server) => {
        this.#asking = false;
        if (!this.#stopped) this.#open(server);
      },
      (error: Error) => {
        this.#asking = false;
        if (!this.#stopped) this.#failed(error.message);
      },
    );
  }

  #open(server: RedisAddress): void {
    const { tls, ...address } = server;
    this.#server = server;
    const redis = new Redis({
      ...address,
      ...(tls && { tls: {} }),
      connectionName: `sse-gateway-${this.#options.purpose}`,
      protocol: 2,
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      disableClientInfo: true,
      maxRetriesPerRequest: null,
      connectTimeout: CONNECT_TIMEOUT_MS,
    });
    this.#redis = redis;
    redis.on('error', (error: NodeJS.ErrnoException) => {
      // The code alone: a message names addresses, and what is told here is told to everybody by /readyz.
      this.#error = error.code ?? error.message;
    });
    redis.on('end', () => this.#ended(redis));
    // The client's own time limit ends with the TCP connection; the handshake behind it may go unanswered for ever.
    const giveUp = (): void => this.#giveUp(redis, 'no answer to the handshake');
    this.#cancelTimer = this.#options.clock.after(2 * CONNECT_TIMEOUT_MS, giveUp);
    redis.connect().then(
      () => this.#probe(redis),
      () => this.#giveUp(redis),
    );
  }

  /** A server that is loading or a master that is down accepts connections but serves nothing. */
  #probe(redis: Redis): void {
    if (redis !== this.#redis || this.#stopped) return;
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(CONNECT_TIMEOUT_MS, () => this.#giveUp(redis, 'no answer to PING'));
    const stands = (): void => {
      if (redis !== this.#redis || this.#stopped) return;
      this.#cancelTimer();
      this.#stand(redis);
    };
    const answers = (): void => {
      if (this.#primary === undefined) stands();
      else this.#checkRole(redis, stands);
    };
    redis.ping().then(answers, (error: Error) => {
      if (error.message.startsWith('NOPERM'))
        answers(); // the server answers; PING is only not allowed
      else this.#giveUp(redis, error.message);
    });
  }

  /** What the Sentinels name may be a replica by now. Where ROLE is not allowed their word counts. */
  #checkRole(redis: Redis, stands: () => void): void {
    redis.role().then(
      ([role]) => {
        if (role === 'master') stands();
        else this.#giveUp(redis, 'the server that the Sentinels name is a replica');
      },
      (error: Error) => {
        if (error.name === 'ReplyError') stands();
        else this.#giveUp(redis);
      },
    );
  }

  #stand(redis: Redis): void {
    this.#up = true;
    this.#attempts = 0;
    this.#error = undefined;
    this.#awaitingPong = false;
    this.#bytesRead = 0;
    this.#lookedAt = this.#options.clock.now();
    this.#tell('up');
    this.#cancelTimer = this.#options.clock.every(PING_EVERY_MS, () => this.#check(redis));
    this.#user.up(redis);
  }

  #check(redis: Redis): void {
    const { bytesRead } = redis.stream as Socket;
    const moved = bytesRead > this.#bytesRead;
    this.#bytesRead = bytesRead;
    const now = this.#options.clock.now();
    const late = now - this.#lookedAt > PING_EVERY_MS + LATE_MS;
    this.#lookedAt = now;
    // The answer stands behind messages that are still coming, or has come and could not be read yet.
    if (this.#awaitingPong && (moved || late)) return;
    if (this.#awaitingPong) {
      this.#giveUp(redis, `no answer to PING for ${PING_EVERY_MS / 1000} s`);
      return;
    }
    this.#awaitingPong = true;
    const answered = (): void => {
      if (redis === this.#redis) this.#awaitingPong = false;
    };
    redis.ping().then(answered, answered); // an error is an answer too
  }

  /** Gives up the link that stands on `redis`, such as where its server turned out to be no primary, and looks again. */
  leave(redis: Redis, reason: string): void {
    if (this.#up && !this.#stopped) this.#giveUp(redis, reason);
  }

  /** Drops a client. Its 'end' event does the rest. */
  #giveUp(redis: Redis, reason?: string): void {
    if (redis !== this.#redis) return;
    if (reason !== undefined) this.#error = reason;
    redis.disconnect();
    redis.stream?.destroy(); // disconnect() alone waits for the other side, which may be stopped
    this.#ended(redis);
  }

  #ended(redis: Redis): void {
    if (redis !== this.#redis || this.#stopped) return;
    redis.removeAllListeners('messageBuffer').removeAllListeners('pmessageBuffer');
    this.#redis = undefined;
    this.#server = undefined;
    this.#failed(this.#error ?? 'the connection was closed');
  }

  #failed(reason: string): void {
    this.#cancelTimer();
    this.#error = reason;
    this.#tell('down');
    if (this.#up) {
      this.#up = false;
      this.#user.down();
    }
    this.#cancelTimer = this.#options.clock.after(this.#pause(), () => this.#connect());
  }

  /** The Sentinels name this primary now: an attempt or link elsewhere is given up, and a pause is over. */
  #moved(server: RedisAddress): void {
    if (this.#stopped || this.#asking) return;
    if (this.#server?.host === server.host && this.#server.port === server.port) return;
    this.#attempts = 0;
    if (this.#redis !== undefined) this.#giveUp(this.#redis, 'the Sentinels name another primary');
    this.#cancelTimer();
    this.#connect();
  }

  #pause(): number {
    const doubled = Math.min(BACKOFF_FIRST_MS * 2 ** this.#attempts, BACKOFF_LONGEST_MS);
    this.#attempts += 1;
    const refused = /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password)/.test(this.#error ?? '');
    return jitter(refused ? Math.max(doubled, 2 * BACKOFF_REFUSED_MS) : doubled, 0.5, this.#options.random);
  }

  /** Says once that the link is up or down, not at every attempt. */
  #tell(state: 'up' | 'down'): void {
    if (this.#told === state) return;
    this.#told = state;
    const { logger, purpose } = this.#options;
    if (state === 'up') logger.info({ purpose }, 'Redis is connected');
    else logger.warn({ purpose, reason: this.#error }, 'Redis is away; trying again until it is back');
  }
}
