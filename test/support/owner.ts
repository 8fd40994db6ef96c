/** Who owns what a test starts: everything is stopped when its owner ends. */
import { after } from 'node:test';

/** A test's own context is an owner; `suiteOwner` makes one for a whole suite. */
export interface Owner {
  after(stop: () => void | Promise<void>): void;
}

/** An owner that lives as long as the suite (or file) in whose body it is made. Stops the youngest first. */
export function suiteOwner(): Owner {
  const stops: (() => void | Promise<void>)[] = [];
  after(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  return { after: (stop) => void stops.push(stop) };
}
