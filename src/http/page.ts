/** The console page: static, the same for everybody. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The page and the headers it is served with. */
export interface Page {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Prepares a page whose scripts and styles stand in it: the policy allows just these, by their digests. */
export function preparePage(html: string): Page {
  const policy = [
    "default-src 'none'",
    `script-src ${digests(html, 'script')}`,
    `style-src ${digests(html, 'style')}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const body = Buffer.from(html);
  const headers = {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': String(body.length),
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  };
  return { body, headers };
}

/** Answers with the page. */
export function answerPage(response: ServerResponse, page: Page): void {
  response.writeHead(200, page.headers);
  response.end(page.body);
}

function digests(html: string, element: 'script' | 'style'): string {
  const blocks = html.matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'));
  const hashes = [...blocks].map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  return hashes.length === 0 ? "'none'" : hashes.join(' ');
}
