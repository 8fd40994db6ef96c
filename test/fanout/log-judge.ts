/** Judges what a client is given of a log in memory: every event in order, or a true gap at that place. */
import assert from 'node:assert/strict';
import type { Position } from '../../src/position.ts';
import type { GapData } from '../support/gateway-events.ts';
import type { Ledger } from '../support/ledger.ts';
import type { Coming, Judge, Standing } from './standings.ts';

/** What judging a log in memory takes. */
export interface LogFacts {
  readonly ledger: Ledger;
  readonly name: string;
  readonly epoch: string;
  /** The number of the last event that is gone for everybody. */
  readonly dropped: () => number;
}

/** Throws at the first thing that no client of a log should see. */
export class LogJudge implements Judge {
  readonly #facts: LogFacts;
  readonly #coming: Coming;
  #at: number | undefined;
  readonly #expected: string | undefined;
  #early: string | undefined;

  constructor(facts: LogFacts, coming: Coming) {
    this.#facts = facts;
    this.#coming = coming;
    const { has, resumes } = coming;
    if (has?.kind !== 'log') this.#expected = resumes ? 'unknown-position' : undefined;
    else if (has.epoch !== facts.epoch) this.#expected = 'restarted';
    else this.#at = has.number;
  }

  get complete(): boolean {
    return this.#at !== undefined && this.#facts.ledger.next(this.#facts.name, this.#at) === undefined;
  }

  get standing(): Standing | undefined {
    return this.#at === undefined ? undefined : { kind: 'log', epoch: this.#facts.epoch, number: this.#at };
  }

  early({ reason }: GapData): void {
    assert.equal(this.#early, undefined, 'a second gap before the stream opens');
    if (reason !== 'trimmed') assert.equal(reason, this.#expected);
    this.#early = reason;
  }

  open(position: Position | undefined): void {
    const number = this.#numberOf(position);
    const { ledger, name } = this.#facts;
    if (this.#early !== 'trimmed') assert.equal(this.#early, this.#expected);
    if (this.#at === undefined) {
      assert.deepEqual(ledger.between(name, this.#coming.bound(), number), [], 'the stream opens past events');
    } else if (this.#early === 'trimmed') {
      assert.ok(ledger.between(name, this.#at, number).length > 0, `nothing of ${name} is missing at ${number}`);
    } else assert.equal(number, this.#at, `${name} does not go on where the client was`);
    this.#at = number;
  }

  gap({ reason, lost }: GapData, position: Position | undefined): void {
    const { ledger, name, dropped } = this.#facts;
    const number = this.#numberOf(position);
    assert.equal(reason, 'too-slow');
    assert.ok(number <= dropped(), `${number} of ${name} was not overtaken`);
    const missing = ledger.between(name, this.#at ?? 0, number);
    assert.ok(missing.length > 0, `nothing of ${name} is missing at ${number}`);
    if (lost !== null) assert.equal(lost, missing.length);
    this.#at = number;
  }

  event(data: string | undefined, position: Position | undefined): void {
    const { ledger, name } = this.#facts;
    const due = ledger.next(name, this.#at ?? 0);
    assert.equal(data, due?.data, `another event of ${name} was due`);
    assert.equal(this.#numberOf(position), due?.number);
    this.#at = due?.number;
  }

  look(position: Position | undefined): void {
    const number = this.#numberOf(position);
    const at = this.#at ?? 0;
    const { ledger, name } = this.#facts;
    assert.ok(number >= at, `${name} is at ${at}, an id says ${number}`);
    assert.deepEqual(ledger.between(name, at, number), [], `an id passes over events of ${name}`);
    this.#at = number;
  }

  #numberOf(position: Position | undefined): number {
    const { epoch, name } = this.#facts;
    assert.ok(position?.kind === 'log' && position.epoch === epoch, `no position of ${name}`);
    return position.number;
  }
}
