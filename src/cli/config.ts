/** `sse-gateway config`: prints the configuration in effect, an example with every key, the schema for editors. */
import type { CommandEnd } from './exit.ts';
import { writeOutput } from './terminal.ts';

/** `config print`: what is in effect with this file, or without one. Throws `ConfigError`. */
export async function configPrint(file: string | undefined): Promise<CommandEnd> {
  const [{ loadConfig }, { printConfig }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/print.ts'),
  ]);
  await writeOutput(printConfig(await loadConfig({ file, env: process.env })));
  return { exit: 'done' };
}

/** `config example`. */
export async function configExample(): Promise<CommandEnd> {
  const { exampleYaml } = await import('../config/example.ts');
  await writeOutput(exampleYaml());
  return { exit: 'done' };
}

/** `config schema`. */
export async function configSchema(): Promise<CommandEnd> {
  const { jsonSchema } = await import('../config/json-schema.ts');
  await writeOutput(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return { exit: 'done' };
}
