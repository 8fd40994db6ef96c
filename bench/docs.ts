/** `npm run bench:docs`: writes the newest saved figures into docs/performance.md, and draws them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart, gatewayPanels, peerPanels } from './chart.ts';
import { fillIn, gatewaySection, peersSection } from './markdown.ts';
import { latestResults } from './results.ts';

const DOCS = join(import.meta.dirname, '../docs');
const PAGE = join(DOCS, 'performance.md');

const NOT_YET = 'No figures are saved. `npm run bench:peers -- --save` measures them.';

const gateway = latestResults('gateway');
const peers = latestResults('peers');
if (gateway === undefined) throw new Error('nothing is saved: `npm run bench -- --save` measures it');

const panels = [...(peers === undefined ? [] : peerPanels(peers.results)), ...gatewayPanels(gateway.results)];
writeFileSync(join(DOCS, 'performance.svg'), chart(panels));
const page = fillIn(readFileSync(PAGE, 'utf8'), 'bench', gatewaySection(gateway));
writeFileSync(PAGE, fillIn(page, 'bench:peers', peers === undefined ? NOT_YET : peersSection(peers)));
