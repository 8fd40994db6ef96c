/** What every refusal over HTTP must look like: RFC 9457, with a status that agrees and a sentence. */
import assert from 'node:assert/strict';
import type { RawResponse } from './peer.ts';

/** Asserts that `response` refuses with `status` as a problem document, and gives its text. */
export async function assertProblem(response: Response, status: number): Promise<string> {
  // A stream has no end to wait for; anything else is worth showing.
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) await response.body?.cancel();
  const text = isStream ? 'a stream' : await response.text();
  assert.equal(response.status, status, `${response.url}: ${text}`);
  assertProblemText(response.headers.get('content-type') ?? '', text, status);
  return text;
}

/** The same for a response that was read from a bare socket. */
export function assertRawProblem(response: RawResponse, status: number): string {
  assert.equal(response.head.status, status, response.body);
  assertProblemText(response.head.headers.get('content-type') ?? '', response.body, status);
  return response.body;
}

function assertProblemText(type: string, text: string, status: number): void {
  assert.match(type, /^application\/problem\+json/);
  const problem: unknown = JSON.parse(text);
  assert.ok(typeof problem === 'object' && problem !== null);
  assert.equal('status' in problem && problem.status, status);
  const said = ['title', 'detail'].map((key) => String(Reflect.get(problem, key) ?? '')).join('');
  assert.ok(said.length > 0, `says nothing: ${text}`);
  assert.doesNotMatch(text, /\bat .*\.(ts|js):\d+|node_modules/, 'shows the inside');
}
