/** The numbers of events that were dropped before every connected reader had passed them, so that a gap can say how many. */

/** How many numbers are remembered: 8 bytes each. Who is further behind is told that something is lost, not how much. */
const MOST = 100_000;

export class Overtaken {
  #numbers: number[] = [];
  /** Every dropped number above this one is remembered. */
  #from = 0;

  /** A number was dropped that some reader may not have passed. They come in rising order. */
  add(number: number): void {
    this.#numbers.push(number);
    if (this.#numbers.length > MOST) this.passed(this.#numbers[MOST / 2] ?? 0);
  }

  /** Whether nothing is remembered. */
  get empty(): boolean {
    return this.#numbers.length === 0;
  }

  /** Every reader has passed `number`. */
  passed(number: number): void {
    const index = this.#after(number);
    if (index === 0) return;
    this.#from = this.#numbers[index - 1] ?? 0;
    this.#numbers = this.#numbers.slice(index);
  }

  /** Something was dropped at `number` of which nobody knows how many events it stands for, such as a gap. */
  unknownAt(number: number): void {
    this.#numbers = this.#numbers.slice(this.#after(number));
    this.#from = Math.max(this.#from, number);
  }

  /** How many were dropped above `number`; null where that is not known any more. */
  countAfter(number: number): number | null {
    return number < this.#from ? null : this.#numbers.length - this.#after(number);
  }

  #after(number: number): number {
    let low = 0;
    let high = this.#numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] ?? 0) > number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
