/** A first-in, first-out line in which taking from the front costs the same however long it is. */
export class Line<T> {
  #items: T[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#front];
    this.#front += 1;
    if (this.#front >= this.#items.length) {
      this.#items = [];
      this.#front = 0;
    } else if (this.#front > 1024 && this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }
}
