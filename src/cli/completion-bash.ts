/** The completion script for bash (3.2 or newer), without the package bash-completion. */
import { alternatives, type Completed, spellings } from './completion-model.ts';
import { quoted } from './invocation.ts';

/** A script to be sourced. */
export function bashScript(commands: readonly Completed[]): string {
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  const branches = commands.map(
    ({ path, options, words }) =>
      `    ${quoted(path)}) options=${quoted(options.flatMap(spellings).join(' '))}; words=${quoted(words.map(({ name }) => name).join(' '))} ;;`,
  );
  return `# Completes sse-gateway in bash; made by: sse-gateway completion bash
_sse_gateway() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local at='' skip='' word options='' words='' i
  local IFS=$' \\t\\n'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # --option=value comes as three words.
    if [[ $word == = ]]; then skip=1; continue; fi
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -- ]]; then return; fi
    case "$at $word" in
      ${alternatives(commands, ({ value }) => value !== 'none')}) skip=1; continue ;;
    esac
    case "$at/$word" in
      ${paths.map(quoted).join('|')}) at="$at/$word" ;;
    esac
  done
  if [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $cur == = ]]; then cur=''; fi
  case "$at $prev" in
    ${alternatives(commands, ({ value }) => value === 'file')})
      IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$cur"))
      compopt -o filenames 2>/dev/null
      return ;;
    ${alternatives(commands, ({ value }) => value === 'other')}) return ;;
  esac
  case "$at" in
${branches.join('\n')}
  esac
  if [[ $cur == -* ]]; then words=$options; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _sse_gateway sse-gateway
`;
}
