/** What the executable carries with it: put in by the bundler, read from the repository when run from source. */
import { existsSync, readFileSync } from 'node:fs';

// `scripts/build.ts` defines these three; nothing does when the sources run unbuilt.
declare const EMBEDDED_VERSION: string | undefined;
declare const EMBEDDED_CONSOLE_PAGE: string | undefined;
declare const EMBEDDED_LICENCES: string | undefined;

/** The version of sse-gateway, such as `0.1.0`. */
export const version: string = typeof EMBEDDED_VERSION === 'string' ? EMBEDDED_VERSION : packageVersion();

/** The console page as a whole HTML document. */
export function consolePage(): string {
  return typeof EMBEDDED_CONSOLE_PAGE === 'string' ? EMBEDDED_CONSOLE_PAGE : fromRepository('console/index.html');
}

/** The licence of sse-gateway and of everything that is inside the executable, as text that ends with a line end. */
export function licences(): string {
  return typeof EMBEDDED_LICENCES === 'string' ? EMBEDDED_LICENCES : licencesFromSource();
}

function packageVersion(): string {
  const manifest = JSON.parse(fromRepository('package.json')) as { version: string };
  return manifest.version;
}

function licencesFromSource(): string {
  const own = existsSync(repositoryFile('LICENSE')) ? `${fromRepository('LICENSE').trimEnd()}\n\n` : '';
  return `${own}sse-gateway runs from source here: the licences of its packages are in node_modules.\n`;
}

function fromRepository(path: string): string {
  return readFileSync(repositoryFile(path), 'utf8');
}

function repositoryFile(path: string): URL {
  return new URL(`../${path}`, import.meta.url);
}
