/** Judges what a client is given of a stream: all of it, in order and once, or a true gap at that place. */
import assert from 'node:assert/strict';
import { compareIds, formatPosition, type Position, parsePosition } from '../../src/position.ts';
import type { GapData } from '../support/gateway-events.ts';
import { follows, type StreamTruth, type TrueEntry, type TruePlace } from '../support/stream-truth.ts';
import type { Coming, Judge, Standing } from './standings.ts';

/** Throws at the first thing that no client of a stream should see. */
export class StreamJudge implements Judge {
  readonly #truth: StreamTruth;
  readonly #coming: Coming;
  #at: TruePlace | undefined;
  readonly #foreign: string | undefined;
  #told = false;
  #early: GapData | undefined;
  /** The last gap, while nothing came behind it. */
  #said = '';
  #opened = false;
  #lost = false;
  /** It was opened before the stream was there. */
  #pending = false;

  constructor(truth: StreamTruth, coming: Coming) {
    this.#truth = truth;
    this.#coming = coming;
    if (coming.has?.kind !== 'stream') return;
    this.#at = coming.has.at;
    this.#foreign = coming.has.foreign;
    this.#told = coming.has.told;
  }

  get complete(): boolean {
    return this.#at !== undefined && !this.#at.beginning && this.#at.count === this.#truth.entries.length;
  }

  get standing(): Standing {
    return { kind: 'stream', at: this.#at, foreign: this.#foreign, told: this.#told };
  }

  early(gap: GapData): void {
    assert.equal(this.#early, undefined, 'a second gap before the stream opens');
    assert.ok(this.#coming.resumes, 'a gap for somebody who brings nothing');
    this.#early = gap;
  }

  open(position: Position | undefined, pending: boolean): void {
    const gap = this.#early;
    if (gap !== undefined) this.#pass(gap, position);
    else if (this.#coming.resumes && this.#at === undefined && this.#foreign === undefined) {
      assert.fail(`it is not known where in ${this.#truth.name} the client stands, and no gap says so`);
    } else this.look(position);
    this.#opened = true;
    this.#pending = pending;
    if (!pending && this.#at?.beginning === false) this.#checkReplay(this.#at.count);
    assert.ok(pending || position !== undefined, 'the id of a stream that opens says nothing');
  }

  /** Whoever wants the newest so many does not begin behind one of them. */
  #checkReplay(count: number): void {
    const { replay, kept } = this.#coming;
    if (replay.kind !== 'all' && replay.kind !== 'last') return;
    const wanted = replay.kind === 'all' ? Number.POSITIVE_INFINITY : replay.count;
    const out = this.#truth.entries.slice(count).filter(({ fate }) => fate === 'deleted' || fate === 'undone');
    const left = kept().filter(({ index }) => index < count).length;
    const most = Math.max(0, kept().length + out.length - wanted);
    assert.ok(left <= most, `the replay leaves out ${left} of ${kept().length}`);
  }

  /** Whoever wants all there is gets it also where it is looked up late. */
  #checkLate(count: number): void {
    if (!this.#pending || this.#lost || this.#coming.replay.kind !== 'all') return;
    const left = this.#truth.entries.slice(0, count).filter(({ fate, life }) => fate === 'kept' && !life.over);
    assert.equal(left.length, 0, `the replay leaves out ${left.length}, though it was looked up late`);
  }

  gap(gap: GapData, position: Position | undefined): void {
    // Nobody knows where to read on for somebody whose log went on before it was told where it stands.
    const isLost = this.#at === undefined && this.#pending && gap.reason === 'too-slow';
    assert.ok(position !== undefined || isLost, 'a gap without a place');
    this.#lost ||= isLost;
    this.#pass(gap, position);
  }

  event(data: string | undefined, position: Position | undefined): void {
    const entry = this.#entryOf(data ?? '');
    assert.equal(position && formatPosition(position), entry.id, 'the id of an entry is where it stands');
    const at = this.#at;
    if (at === undefined) {
      this.#skip(this.#bound, entry.index, entry.life);
      this.#checkLate(entry.index);
    } else {
      // Every stream that has this name begins at the same place, so what is from there may be of the one before.
      const again = at.beginning && entry.life.over;
      assert.ok(entry.index >= at.count || again, `entry ${entry.index} comes behind place ${at.count}`);
      const own = at.behind ? this.#named : undefined;
      this.#skip(at.count, entry.index, at.beginning ? entry.life : undefined);
      const astray = own?.fate === 'undone' && !follows(entry, own);
      assert.ok(!astray || this.#told, `what the client had was undone, and it was not told before ${entry.index}`);
    }
    this.#at = { count: entry.index + 1, by: entry.index, behind: true, beginning: false };
    this.#told = false;
    this.#said = '';
  }

  look(position: Position | undefined): void {
    if (position === undefined) {
      assert.equal(this.#at, undefined, `an id leaves out where ${this.#truth.name} stands`);
      return;
    }
    if (formatPosition(position) === this.#foreign) return;
    const place = this.#placeOf(position);
    const at = this.#at;
    if (at === undefined) {
      if (!place.beginning) this.#skip(this.#bound, place.count);
      this.#at = place;
      return;
    }
    const text = formatPosition(position);
    if (place.beginning) {
      const begins = this.#truth.entries.slice(0, at.count).every(({ life }) => life.over);
      assert.ok(at.beginning || begins, `${text} is before what the client has, ${at.count}`);
    } else if (place.count >= at.count) {
      this.#skip(at.count, place.count, at.beginning ? 'over' : undefined);
      this.#at = place;
    } else this.#skip(place.count, at.count);
  }

  /** From where on all must come to somebody who brought no place. */
  get #bound(): number {
    const { replay, bound } = this.#coming;
    // All there is was looked up late, in a stream made anew: its ids do not tell what was trimmed until then.
    const late = this.#pending && replay.kind === 'all' && this.#truth.entries.some(({ life }) => life.over);
    return late || this.#lost ? this.#truth.entries.length : bound();
  }

  /** The entry that names the place of the client. */
  get #named(): TrueEntry | undefined {
    return this.#truth.entries[this.#at?.by ?? -1];
  }

  #entryOf(data: string): TrueEntry {
    const entry = this.#truth.entries[Number(data.split(' ')[1])];
    assert.ok(entry !== undefined && data === entry.data, `no entry was ${data.slice(0, 40)}`);
    return entry;
  }

  #placeOf(position: Position): TruePlace {
    const place = position.kind === 'stream' ? this.#truth.place(position) : undefined;
    assert.ok(place !== undefined, `${formatPosition(position)} is no place of ${this.#truth.name}`);
    return place;
  }

  /** Everything between may be left out without a word: deleted by its owner, undone, or of an earlier `life`. */
  #skip(from: number, to: number, life?: TrueEntry['life'] | 'over'): void {
    for (const entry of this.#truth.entries.slice(from, to)) {
      const earlier = life !== undefined && entry.life.over && entry.life !== life;
      const skipped = entry.fate === 'deleted' || entry.fate === 'undone' || earlier || this.#isBefore(entry);
      assert.ok(skipped, `entry ${entry.index} of ${this.#truth.name} (${entry.fate}) is passed over by ${to}`);
    }
  }

  /** After a gap that leaves a client where it is, on a way that was undone, only what is above its id comes. */
  #isBefore({ id }: TrueEntry): boolean {
    const named = this.#named;
    return this.#told && named?.fate === 'undone' && compareIds(id, named.id) < 0;
  }

  /** A gap is true, and moves the client. */
  #pass(gap: GapData, position: Position | undefined): void {
    const at = this.#at;
    const foreign = position !== undefined && formatPosition(position) === this.#foreign;
    const to = position === undefined || foreign ? undefined : this.#placeOf(position);
    const said = JSON.stringify([gap, position]);
    assert.notEqual(said, this.#said, 'the same gap is told twice');
    this.#said = said;
    this.#told = true;
    if (gap.reason === 'source-lost') assert.ok(this.#pending, 'a lost source where the stream was there');
    else if (at === undefined) this.#checkUnplaced(gap, to);
    else if (to === undefined) assert.fail('a gap takes the place of a client');
    else this.#checkGap(gap, at, to);
    if (at === undefined && to !== undefined && !to.beginning) this.#checkLate(to.count);
    if (to !== undefined) this.#at = to.beginning ? { ...to, count: at?.count ?? 0 } : to;
  }

  /** Of somebody who brought no place, or one that no entry ever had. */
  #checkUnplaced({ reason }: GapData, to: TruePlace | undefined): void {
    if (this.#opened || this.#foreign !== undefined) return;
    assert.equal(reason, 'unknown-position');
    if (to !== undefined && !to.beginning) this.#skip(this.#bound, to.count);
  }

  #checkGap({ reason, after, lost }: GapData, at: TruePlace, to: TruePlace): void {
    const { entries, name } = this.#truth;
    const whole = after === null ? undefined : parsePosition(after);
    const wholeTo = whole && this.#placeOf(whole);
    if (wholeTo !== undefined && !wholeTo.beginning) {
      this.#skip(at.count, wholeTo.count, at.beginning ? 'over' : undefined);
    }
    const upTo = to.beginning ? entries.length : to.count;
    const around = entries.slice(at.by ?? at.count, Math.max(upTo, at.count + 1));
    const has = (...fates: (TrueEntry['fate'] | 'over')[]): boolean =>
      around.some(({ fate, life }) => fates.includes(fate) || (life.over && fates.includes('over')));
    const where = `${reason} at ${at.count}${at.beginning ? ' (beginning)' : ''} to ${upTo} of ${name}`;
    const causes = CAUSES[reason];
    // What is counted as missing may also be what somebody took out further on.
    const counted = lost !== null && entries.slice(at.count).some(({ deleted }) => deleted);
    assert.ok(causes !== undefined && (counted || has(...causes)), `nothing that makes this gap: ${where}`);
    if (lost !== null) {
      const missing = entries.slice(at.count, upTo);
      const least = missing.filter(({ fate, life }) => fate === 'trimmed' && !life.over).length;
      const most = missing.filter(({ fate }) => fate !== 'kept').length;
      const taken = entries.filter(({ deleted }) => deleted).length;
      assert.ok(lost >= least && lost <= most + taken, `${lost} lost, not ${least} to ${most}: ${where}`);
    }
    if (upTo >= at.count) return;
    // Where its owner took out all that a gateway still knew, nothing tells it from a stream that went another way.
    const may = entries.some(({ fate, deleted, index }) => deleted || (fate === 'undone' && index < at.count));
    assert.ok(may, `it goes back: ${where}`);
  }
}

/** What must have happened to something for a gap to be true. */
const CAUSES: Readonly<Record<string, readonly (TrueEntry['fate'] | 'over')[]>> = {
  trimmed: ['trimmed', 'deleted', 'over'],
  reset: ['over', 'undone', 'deleted'],
  'rolled-back': ['undone', 'deleted'],
  'unknown-position': ['undone', 'over'],
};
