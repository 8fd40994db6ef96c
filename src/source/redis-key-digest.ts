/** Digests of what keys hold: they tell one value from another on every gateway, after any restart. */
import { createHash, type Hash } from 'node:crypto';

/** 132 bits of SHA-256, in base64url: 22 characters. */
const LENGTH = 22;

/** The digest of a string. */
export function stringDigest(value: Buffer): string {
  return finish(createHash('sha256').update('s').update(value));
}

/** The digest of a hash, whatever the order of its fields: name, value, name, value. */
export function hashDigest(fields: readonly Buffer[]): string {
  const pairs: Buffer[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) pairs.push(paired(fields[i], fields[i + 1]));
  const hash = createHash('sha256').update('h');
  for (const pair of pairs.sort(Buffer.compare)) hash.update(pair);
  return finish(hash);
}

/** With the lengths in front, so that no two hashes run together to the same bytes. */
function paired(name: Buffer = Buffer.alloc(0), value: Buffer = Buffer.alloc(0)): Buffer {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(name.length, 0);
  lengths.writeUInt32BE(value.length, 4);
  return Buffer.concat([lengths, name, value]);
}

function finish(hash: Hash): string {
  return hash.digest('base64url').slice(0, LENGTH);
}
