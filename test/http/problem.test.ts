/** Errors as HTTP answers them: the right status, a document by RFC 9457, and nothing of the inside. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ConflictError,
  ForbiddenError,
  LimitError,
  ListenError,
  OutcomeUnknownError,
  SourceDownError,
  TooLargeError,
  UnauthenticatedError,
  UnknownChannelError,
  UsageError,
} from '../../src/errors.ts';
import { problemOf, RequestRefused, renderProblem } from '../../src/http/problem.ts';

describe('an error', () => {
  test('of ours has its status and code, and says what to do', () => {
    const table = [
      [UsageError, 400, 'usage'],
      [UnauthenticatedError, 401, 'unauthenticated'],
      [ForbiddenError, 403, 'forbidden'],
      [UnknownChannelError, 404, 'unknown-channel'],
      [TooLargeError, 413, 'too-large'],
      [ConflictError, 422, 'conflict'],
      [LimitError, 503, 'limit'],
      [SourceDownError, 503, 'source-down'],
      [OutcomeUnknownError, 504, 'outcome-unknown'],
    ] as const;
    for (const [Kind, status, code] of table) {
      const problem = problemOf(new Kind('this is wrong', { hint: 'do that' }));
      assert.deepEqual([problem.status, problem.code, problem.detail], [status, code, 'this is wrong; do that']);
      assert.equal(problemOf(new Kind('this is wrong')).detail, 'this is wrong');
    }
  });

  test('that asks for a credential says of which kind, and one that passes when to come back', () => {
    assert.deepEqual(problemOf(new UnauthenticatedError('x')).headers, { 'WWW-Authenticate': 'Bearer' });
    assert.deepEqual(problemOf(new SourceDownError('x')).headers, { 'Retry-After': '1' });
    assert.equal(problemOf(new ForbiddenError('x')).headers, undefined);
  });

  test('that nobody foresaw says nothing about the inside', () => {
    for (const error of [
      new TypeError('secret'),
      'secret',
      undefined,
      { message: 'secret' },
      new ListenError('secret'),
    ]) {
      const problem = problemOf(error);
      assert.deepEqual([problem.status, problem.code], [500, 'internal']);
      assert.doesNotMatch(renderProblem(problem).body, /secret/);
    }
  });

  test('that is a refusal is answered as it is', () => {
    const refusal = new RequestRefused(405, 'method-not-allowed', 'use GET', { Allow: 'GET' });
    const { title, headers, body } = renderProblem(problemOf(refusal));
    assert.deepEqual([title, headers['Allow']], ['Method Not Allowed', 'GET']);
    assert.equal(JSON.parse(body).detail, 'use GET');
  });
});

describe('a problem document', () => {
  test('is what RFC 9457 says, as long as its header says', () => {
    const detail = 'gr\u00fcn \u{1F600} "quoted"\r\n';
    const { title, headers, body } = renderProblem({ status: 421, code: 'wrong-host', detail });
    assert.deepEqual(JSON.parse(body), { type: 'about:blank', title, status: 421, code: 'wrong-host', detail });
    assert.equal(title, 'Misdirected Request');
    assert.equal(headers['Content-Type'], 'application/problem+json');
    assert.equal(headers['Content-Length'], `${Buffer.byteLength(body)}`);
    assert.equal(headers['Cache-Control'], 'no-store');
  });
});
