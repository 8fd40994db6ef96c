/** The process in which a crowd lives: does what it is told with its groups, and tells how they stand. */
import { Member, Tally } from './crowd-member.ts';
import type { CrowdOrder, GroupState } from './crowd-order.ts';

interface Members {
  readonly members: readonly Member[];
  readonly tally: Tally;
}

const groups = new Map<string, Members>();

process.on('message', (order: CrowdOrder) => obey(order));
process.once('disconnect', () => process.exit());

function obey(order: CrowdOrder): void {
  if (order.kind === 'open') {
    open(order);
    return;
  }
  const group = groups.get(order.group);
  if (group === undefined) throw new Error(`no group is named ${order.group}`);
  const { members, tally } = group;
  if (order.kind === 'drop') tally.returns = false;
  if (order.kind === 'measure') tally.measure();
  else if (order.kind === 'tell') process.send?.({ group: order.group, state: stateOf(group) });
  else for (const member of members) act(member, order.kind);
}

function act(member: Member, what: 'drop' | 'return' | 'pause' | 'resume'): void {
  if (what === 'drop') member.drop();
  else if (what === 'return') member.connect();
  else if (what === 'pause') member.pause();
  else member.resume();
}

function open({ host, port, group }: CrowdOrder & { kind: 'open' }): void {
  const { version = '1.1' } = group;
  const tally = new Tally(group.returns ?? false);
  const members = Array.from(
    { length: group.clients },
    (_, index) => new Member({ host, port, path: group.path.replaceAll('{i}', `${index}`), version }, tally),
  );
  groups.set(group.name, { members, tally });
  for (const member of members) member.connect();
}

function stateOf({ members, tally }: Members): GroupState {
  const numbers = members.map(({ next }) => next);
  const sorted = tally.latencies.slice().sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    clients: members.length,
    open: members.filter((member) => member.open).length,
    least: Math.min(...numbers),
    most: Math.max(...numbers),
    resumed: tally.resumed,
    gaps: tally.gaps,
    complete: tally.complete,
    cut: tally.cut,
    unanswered: tally.unanswered,
    failures: Object.fromEntries(tally.failures),
    retries: members.flatMap(({ retry }) => retry ?? []),
    endedAt: members.map(({ endedAt }) => endedAt),
    latency: { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 },
    silence: tally.silence,
    oddities: [...tally.oddities],
  };
}
