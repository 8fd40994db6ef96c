/** What a command ends with where the gateway says no, or is not there. */
import type { Refusal } from '../client/refusal.ts';
import type { CommandEnd } from './exit.ts';

/** 401 and 403 are "not allowed"; everything else failed. */
export function endOfRefusal({ status, message, hint }: Refusal): CommandEnd {
  if (status === 401 || status === 403) {
    return {
      exit: 'not-allowed',
      message,
      hint: hint ?? 'run it as the user who runs `serve`, or give a credential by --token-file or SSE_GATEWAY_TOKEN',
    };
  }
  return { exit: 'failed', message, hint };
}

/** No gateway is there; nothing has happened. */
export function endOfUnreachable(reason: string): CommandEnd {
  return { exit: 'failed', message: reason, hint: 'start one with `sse-gateway serve`, or name yours by --url' };
}
