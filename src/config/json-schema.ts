/** The JSON Schema of the configuration, for editors; generated from the schema. Rules between keys are left to `check`. */
import type { JsonSchema } from './kind.ts';
import { schema } from './schema.ts';

/** A JSON Schema of draft 7, which the YAML language servers of editors read. */
export function jsonSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sse-gateway configuration',
    ...schema.schema(),
    type: 'object',
    required: ['channels'],
  };
}
