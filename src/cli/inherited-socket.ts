/** The socket that systemd, or whoever starts us, has opened already (LISTEN_FDS, see sd_listen_fds(3)). */
import { readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import { ipText, readIp } from '../config/ip.ts';
import type { Listen } from '../config/listen.ts';
import { ListenError } from '../errors.ts';

/** A socket that listens. */
export interface InheritedSocket {
  readonly descriptor: number;
  /** Where it listens. */
  readonly listen: Listen;
}

/** Inherited descriptors begin behind stdin, stdout and stderr. */
const FIRST_DESCRIPTOR = 3;

/**
 * The socket that was handed to the process `pid`; undefined where there is none. The variables that say so are taken
 * out of `env`: nobody whom we start is meant. Throws ListenError where it cannot be served on.
 */
export function takeInheritedSocket(env: NodeJS.ProcessEnv, pid: number): InheritedSocket | undefined {
  const { LISTEN_FDS: count = '', LISTEN_PID: meant } = env;
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete env[name];
  if (meant !== String(pid) || count === '' || count === '0') return undefined;
  if (!/^[1-9]\d{0,5}$/.test(count)) throw new ListenError('LISTEN_FDS is no number of sockets');
  if (count !== '1') {
    throw new ListenError(`${count} sockets are inherited (LISTEN_FDS), and one can be served on`, {
      hint: 'leave one ListenStream= in the socket unit',
    });
  }
  return { descriptor: FIRST_DESCRIPTOR, listen: addressOf(FIRST_DESCRIPTOR) };
}

/** Node tells the address of a socket only once it accepts on it, and by then it must be known who may do what there. */
function addressOf(descriptor: number): Listen {
  const inode = inodeOf(descriptor);
  const listen = listeningTcp(inode) ?? listeningUnix(inode);
  if (listen !== undefined) return listen;
  throw new ListenError('the inherited socket (LISTEN_FDS) is not one that listens for streams', {
    hint: 'in the socket unit, give a port or an absolute path as ListenStream=, and leave Accept=no',
  });
}

function inodeOf(descriptor: number): string {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? [];
    if (inode !== undefined) return inode;
  } catch {
    // There is nothing at that number: no socket either.
  }
  throw new ListenError(`LISTEN_FDS says that a socket is inherited, and descriptor ${descriptor} is none`);
}

/** Columns of /proc/net/tcp (proc_net_tcp in the kernel's documentation): number, local, remote, state, ..., inode. */
function listeningTcp(inode: string): Listen | undefined {
  for (const table of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    for (const line of linesOf(table)) {
      const columns = line.trim().split(/\s+/);
      if (columns[9] !== inode || columns[3] !== LISTENING_TCP) continue;
      const [address = '', port = ''] = columns[1]?.split(':') ?? [];
      return { kind: 'tcp', host: hostOf(address), port: Number.parseInt(port, 16) };
    }
  }
  return undefined;
}

const LISTENING_TCP = '0A';

/** Words of four bytes, each printed as the number that it is to this machine. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const text = bytes.toString('hex').replaceAll(/.{4}(?!$)/g, '$&:');
  const address = readIp(text);
  return address === undefined ? text : ipText(address);
}

/** Columns of /proc/net/unix (proc(5)): pointer, references, protocol, flags, type, state, inode, path. */
function listeningUnix(inode: string): Listen | undefined {
  for (const line of linesOf('/proc/self/net/unix')) {
    const [, flags, type, found, path = ''] = /^\S+ \S+ \S+ (\S+) (\S+) \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    const listens = (Number.parseInt(flags ?? '0', 16) & ACCEPTS) !== 0;
    if (found === inode && listens && type === STREAM) return { kind: 'unix', path };
  }
  return undefined;
}

/** __SO_ACCEPTCON and SOCK_STREAM. */
const ACCEPTS = 0x10000;
const STREAM = '0001';

function linesOf(table: string): string[] {
  try {
    return readFileSync(table, 'utf8').split('\n');
  } catch {
    return []; // a kernel without that kind of address
  }
}
