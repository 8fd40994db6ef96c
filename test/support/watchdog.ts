/** Loaded before every test file: one that is still running long after its tests says what it left open, and fails. */

/** In milliseconds; `scripts/test.ts` ends single tests earlier. */
const LIMIT = Number(process.env['TEST_FILE_LIMIT'] ?? 600_000);

// The runner itself loads this too; it waits for its files as long as they take.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) setTimeout(giveUp, LIMIT).unref();

function giveUp(): never {
  const open = process.getActiveResourcesInfo().join(', ');
  console.error(`${process.argv[1]} still runs after ${LIMIT / 1000} s. Open: ${open}`);
  process.exit(1);
}
