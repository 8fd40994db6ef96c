/** Judges what a client is given of a key: real changes in order, and never what it has. */
import assert from 'node:assert/strict';
import { formatPosition, type Position } from '../../src/position.ts';
import { keyValue } from '../support/fake-streams.ts';
import type { GapData } from '../support/gateway-events.ts';
import type { KeyTruth } from '../support/stream-truth.ts';
import type { Coming, Judge, Standing } from './standings.ts';

/** Throws at the first thing that no client of a key should see. */
export class KeyJudge implements Judge {
  readonly #truth: KeyTruth;
  readonly #epoch: string;
  #has: string | undefined;
  #foreign: string | undefined;
  #index: number;

  /** `epoch`: of the gateway. Another one may not have read as far yet. */
  constructor(truth: KeyTruth, epoch: string, { has }: Coming) {
    this.#truth = truth;
    this.#epoch = epoch;
    this.#has = has?.kind === 'key' ? has.has : undefined;
    this.#foreign = has?.kind === 'key' ? has.foreign : undefined;
    this.#index = has?.kind === 'key' && has.epoch === epoch ? has.index : 0;
  }

  get complete(): boolean {
    return this.#foreign === undefined && this.#has === this.#truth.value;
  }

  get standing(): Standing {
    return { kind: 'key', has: this.#has, foreign: this.#foreign, epoch: this.#epoch, index: this.#index };
  }

  early(gap: GapData): void {
    assert.fail(`a key has no gap: ${gap.reason}`);
  }

  gap(gap: GapData): void {
    this.early(gap);
  }

  open(position: Position | undefined): void {
    this.look(position);
  }

  event(data: string | undefined, position: Position | undefined): void {
    if (this.#foreign === undefined) assert.notEqual(data, this.#has, `the client has ${data} already`);
    const index = this.#truth.values.indexOf(data, this.#index);
    assert.ok(index !== -1, `the key has not been ${data} since it was ${this.#has}`);
    this.#has = data;
    this.#foreign = undefined;
    this.#index = index;
    this.look(position);
    assert.ok(position !== undefined);
  }

  look(position: Position | undefined): void {
    const has = this.#foreign ?? `~${keyValue(this.#has).digest}`;
    if (position === undefined) assert.equal(has, '~0', 'an id leaves out what the client has of a key');
    else assert.equal(formatPosition(position), has, `the client has ${this.#has}`);
  }
}
