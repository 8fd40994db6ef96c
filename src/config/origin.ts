/** Origins of web pages, as browsers send them in the `Origin` header (RFC 6454, WHATWG URL). */
import { isHost, splitHost } from './host.ts';
import type { Parsed } from './parsed.ts';

/** Reads `scheme://host[:port]` into the form that browsers send: lower case, punycode, without the default port. */
export function parseOrigin(text: string): Parsed<string> {
  if (text === '*') return { value: text };
  if (text === 'null') return { problem: NULL_PROBLEM, hint: 'serve the page from an address of its own' };
  const [, scheme = '', rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === '') return withoutScheme(text);
  if (text.includes('*')) return { problem: WILDCARD_PROBLEM, hint: 'list every origin, or write "*" alone for any' };
  const meant = BROWSER_SCHEMES.get(scheme.toLowerCase());
  if (meant !== undefined) return { problem: `no page has an origin that begins with ${scheme}://`, hint: meant };
  const [, authority = '', extra] = /^([^/?#\\]*)(.*)$/s.exec(rest) ?? [];
  if (authority.includes('@')) return { problem: 'an origin has no user and password', hint: 'write https://host' };
  const origin = originOf(scheme.toLowerCase(), authority);
  if (origin === undefined || extra === '') return origin === undefined ? {} : { value: origin };
  const what = extra === '/' ? 'an origin has no slash at its end' : 'an origin ends behind the host and port';
  return { problem: what, hint: `write ${origin}` };
}

/** Pages in sandboxed frames and of files send `null`, whoever made them. */
const NULL_PROBLEM = 'null is what any sandboxed page may send, so it names nobody';
const WILDCARD_PROBLEM = 'origins are compared whole, a * within one has no meaning';

/** Schemes that no page's `Origin` header has, and what was probably meant. */
const BROWSER_SCHEMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ws: 'write http:// and the host of the page',
    wss: 'write https:// and the host of the page',
    ftp: 'write https:// and the host of the page',
    file: 'pages from files have no origin: serve the page over HTTP',
  }),
);

function withoutScheme(text: string): Parsed<never> {
  if (text.includes('*')) return { problem: WILDCARD_PROBLEM, hint: 'list every origin, or write "*" alone for any' };
  const origin = originOf('https', text.replace(/^\/\//, ''));
  return origin === undefined ? {} : { problem: 'the scheme is missing', hint: `write ${origin}` };
}

/** The origin in a browser's form, or undefined. Other schemes than HTTP's are those of apps, whose hosts stay as they are. */
function originOf(scheme: string, authority: string): string | undefined {
  const split = splitHost(authority);
  if (split === undefined || /[\s%]/.test(authority) || split.port === '') return undefined;
  const url = URL.parse(`${scheme}://${authority}`);
  if (url === null || !isHost(url.hostname.replace(/^\[|\]$/g, ''))) return undefined;
  return `${scheme}://${url.host}`;
}
