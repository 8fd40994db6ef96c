/** The licence notice of an executable: who wrote what is inside, under which terms. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * One section for the product, one for Node and one for each package, sorted by name.
 * `inputs` are the bundled files and `node` is Node's binary, as paths; throws where a package says nothing about its licence.
 */
export function licenceNotice(root: string, inputs: readonly string[], node: string): string {
  const packages = new Set(inputs.filter((file) => file.includes('node_modules/')).map((file) => packageFolder(file)));
  const sections = [section(root), nodeSection(node), ...[...packages].map(section).sort()];
  return `${sections.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function packageFolder(file: string): string {
  return file.replace(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\/.*$/, '$1');
}

function section(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const text = licenceText(folder);
  if (license === undefined && text === undefined) throw new Error(`${folder} says nothing about its licence`);
  return [`${name} ${version}`, license ?? '', text ?? ''].filter((part) => part !== '').join('\n\n');
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

function licenceText(folder: string): string | undefined {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(name));
  return file === undefined ? undefined : readFileSync(join(folder, file), 'utf8').trim();
}

/** Node's licence lies beside `bin/` in its archive and in its npm package; it names the libraries inside the binary as well. */
function nodeSection(node: string): string {
  const folder = dirname(dirname(node));
  const text = existsSync(folder) ? licenceText(folder) : undefined;
  return `Node.js ${process.version}\n\n${text ?? 'https://github.com/nodejs/node/blob/main/LICENSE'}`;
}
