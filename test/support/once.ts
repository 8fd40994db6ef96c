/** What several tests of a file share and the first that needs it makes. */

/** The same answer for everybody: `make` runs when somebody asks for the first time. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
