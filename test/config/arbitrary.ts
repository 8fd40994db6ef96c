/** Random templates over few characters, and names that have a fair chance to match them. */
import fc from 'fast-check';

const literal = fc.string({ unit: fc.constantFrom('a', 'b', '.', ':', '-', '_'), minLength: 1, maxLength: 4 });

/** Templates with one to three variables, the last of which may take the rest; some begin with a variable or with `__`. */
export function templates(): fc.Arbitrary<string> {
  return fc
    .record({
      first: fc.option(fc.oneof(literal, fc.constant('__')), { nil: '' }),
      between: fc.array(literal, { maxLength: 2 }),
      last: fc.option(literal, { nil: '' }),
      rest: fc.boolean(),
    })
    .map(({ first, between, last, rest }) => {
      const variables = between.map((text, index) => `{v${index}}${text}`);
      return `${first}${variables.join('')}{last${rest ? '*' : ''}}${last}`;
    });
}

/** Names that are like the template: its variables replaced by short texts, sometimes by what they may not hold. */
export function namesLike(template: string): fc.Arbitrary<string> {
  const value = fc.string({ unit: fc.constantFrom('a', 'b', '-', '_', '.'), maxLength: 3 });
  return fc.array(value, { minLength: 4, maxLength: 4 }).map((values) => {
    let index = 0;
    return template.replaceAll(/\{[^{}]*\}/g, () => values[index++] ?? '');
  });
}
