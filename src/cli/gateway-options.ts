/** Declares how `publish`, `tail` and `bench` find their gateway and say who they are. */
import { Option } from 'commander';
import { once } from './options.ts';

/** `--url`. */
export function urlOption(): Option {
  const text = 'the gateway: http://host:port or unix:/path (default: SSE_GATEWAY_URL, else http://127.0.0.1:8080)';
  return new Option('--url <url>', text).argParser(once);
}

/** `--token-file` and `--token`. */
export function credentialOptions(): readonly Option[] {
  return [
    new Option(
      '--token-file <file>',
      'a file with the credential to send (default: SSE_GATEWAY_TOKEN, else the key of your own `serve`)',
    ).argParser(once),
    new Option('--token <token>', 'the credential itself; others on this machine can see it').argParser(once),
  ];
}
