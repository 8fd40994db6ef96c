/** Where a client can stand in the history of a stream, and what stands where. */
import { type Era, type History, indexOf, shared } from './history.ts';
import type { Place } from './place.ts';

/** A client is done with the first `index` entries of an era. */
export interface Standing {
  readonly era: number;
  readonly index: number;
}

/** A history in which entries are found by their name: id and key. */
export class Atlas {
  readonly history: History;
  readonly eras: readonly Era[];
  readonly #indices: readonly ReadonlyMap<string, number>[];

  constructor(history: History) {
    this.history = history;
    this.eras = history.eras;
    this.#indices = this.eras.map(
      ({ entries }) => new Map(entries.map(({ id, key }, index) => [`${id} ${key}`, index])),
    );
  }

  /** Where an entry stands in the first era from `since` on that holds it. */
  find(name: string, since = 0): Standing | undefined {
    const era = this.#indices.findIndex((indices, each) => each >= since && indices.has(name));
    const index = this.#indices[era]?.get(name);
    return index === undefined ? undefined : { era, index };
  }

  /** How many of the first entries of `era` one who stands in an earlier or the same era is done with. */
  done(at: Standing, era: number): number {
    return Math.min(at.index, shared(this.history, at.era, era));
  }

  /** The place of a client at some time: in the era that holds its entry, else in the one of that time. */
  standingAt(place: Place, at: number): Standing {
    const id = `${place.ms}-${place.seq}`;
    const current = Math.max(
      0,
      this.eras.findLastIndex((era) => era.at <= at),
    );
    const holds = (era: Era | undefined): boolean => era?.entries.some((entry) => entry.id === id) === true;
    const holding = this.eras.findIndex(holds);
    const era = holds(this.eras[current]) || holding === -1 ? current : holding;
    const chosen = this.eras[era];
    return { era, index: chosen === undefined ? 0 : indexOf(chosen, place) };
  }

  /** Where one stands who was pending, asked for everything and gets this entry first: before all that is kept. */
  firstKept(name: string): Standing {
    const era = Math.max(
      0,
      this.#indices.findLastIndex((indices) => indices.has(name)),
    );
    return { era, index: Math.min(this.eras[era]?.removed ?? 0, this.#indices[era]?.get(name) ?? 0) };
  }

  /**
   * Who stands where several eras are the same still stands in all of them: a gateway may yet tell what died with the older.
   * Of what is dead already, whoever is `new` is given what is at hand.
   */
  standingFor(name: string, at: Standing, isNew: boolean): Standing {
    if (this.find(name, at.era) !== undefined) return at;
    const era = this.#indices.findLastIndex((indices, each) => {
      return each < at.era && indices.has(name) && at.index <= shared(this.history, each, at.era);
    });
    if (era === -1) return at;
    return { era, index: isNew ? (this.#indices[era]?.get(name) ?? 0) : at.index };
  }

  /** Whether entries have died with the eras between two: who stands before the fork may be told, or may not. */
  hasDied(from: number, to: number): boolean {
    return this.eras
      .slice(from, to)
      .some(({ entries }, offset) => entries.length > (this.eras[from + offset + 1]?.kept ?? 0));
  }

  describe({ era, index }: Standing): string {
    const entry = this.eras[era]?.entries[index - 1];
    return entry === undefined ? 'the beginning' : `${entry.id}${this.eras.length > 1 ? ` (era ${era})` : ''}`;
  }
}
