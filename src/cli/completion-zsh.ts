/** The completion script for zsh: to be sourced behind compinit, or put into a folder of fpath as _sse-gateway. */
import { alternatives, type Completed, spellings } from './completion-model.ts';
import { quoted } from './invocation.ts';

/** A script to be sourced. */
export function zshScript(commands: readonly Completed[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  return `#compdef sse-gateway
# Completes sse-gateway in zsh; made by: sse-gateway completion zsh
_sse_gateway() {
  local cur=$words[CURRENT] prev=$words[CURRENT-1] at='' skip='' word
  local -a known options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -- ]]; then return; fi
    case "$at $word" in
      (${alternatives(commands, ({ value }) => value !== 'none')}) skip=1; continue ;;
    esac
    case "$at/$word" in
      (${paths.map(quoted).join('|')}) at="$at/$word" ;;
    esac
  done
  if [[ $cur == --*=* ]]; then
    prev=\${cur%%=*}
    compset -P '*='
  fi
  case "$at $prev" in
    (${alternatives(commands, ({ value }) => value === 'file')}) _files; return ;;
    (${alternatives(commands, ({ value }) => value === 'other')}) return ;;
  esac
  case "$at" in
${commands.map(branch).join('\n')}
  esac
  if [[ $cur == -* ]]; then _describe -o option options; else _describe command known; fi
}
if [[ $funcstack[1] == _sse_gateway || $funcstack[1] == _sse-gateway ]]; then
  _sse_gateway "$@"
else
  compdef _sse_gateway sse-gateway
fi
`;
}

function branch({ path, options, words }: Completed): string {
  const known = words.map(({ name, about }) => described(name, about));
  const flags = options.flatMap((option) => spellings(option).map((spelling) => described(spelling, option.about)));
  return `    (${quoted(path)})
      known=(${known.join(' ')})
      options=(${flags.join(' ')}) ;;`;
}

/** `name:what it means`, a colon in the name being escaped. */
function described(name: string, about: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${about}`);
}
