/** Which web pages of other origins may read answers: exact origins, and never everybody together with credentials. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Cors } from '../../src/http/cors.ts';
import { fakeRequest } from '../support/fake-request.ts';

const APP = 'https://app.example.com';
const from = (origin?: string) => fakeRequest({ headers: origin === undefined ? [] : [['Origin', origin]] });

describe('the headers of an answer', () => {
  test('name an origin that is allowed, exactly as it stands in the configuration', () => {
    const cors = new Cors({ origins: [APP], credentials: false });
    assert.deepEqual(cors.headers(from(APP)), { 'Access-Control-Allow-Origin': APP, Vary: 'Origin' });
    for (const other of [undefined, 'null', `${APP}.evil.com`, `${APP}:444`, 'http://app.example.com', `${APP}/`]) {
      assert.deepEqual(cors.headers(from(other)), { Vary: 'Origin' }, other);
    }
  });

  test('allow credentials only to origins that are named', () => {
    const named = new Cors({ origins: [APP], credentials: true }).headers(from(APP));
    assert.equal(named['Access-Control-Allow-Credentials'], 'true');
    const all = new Cors({ origins: ['*'], credentials: true }).headers(from(APP));
    assert.deepEqual(all, { 'Access-Control-Allow-Origin': '*' });
  });

  test('say nothing where nothing is allowed', () => {
    const cors = new Cors({ origins: [], credentials: true });
    assert.deepEqual([cors.headers(from(APP)), cors.preflight(from(APP))], [{}, {}]);
  });
});

describe('a preflight', () => {
  test('is answered to origins that are allowed alone, and lets a client resume and publish', () => {
    const cors = new Cors({ origins: [APP], credentials: false });
    const allowed = cors.preflight(from(APP));
    assert.match(allowed['Access-Control-Allow-Headers'] ?? '', /Authorization.*Last-Event-ID/);
    assert.match(allowed['Access-Control-Allow-Methods'] ?? '', /POST.*DELETE/);
    assert.deepEqual(cors.preflight(from('https://evil.com')), {});
    assert.deepEqual(cors.preflight(from()), {});
  });
});
