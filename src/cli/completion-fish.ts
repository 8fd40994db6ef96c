/** The completion script for fish (3.0 or newer). */
import { type Completed, type CompletedOption, spellings } from './completion-model.ts';

/** A script to be sourced, or put into ~/.config/fish/completions. */
export function fishScript(commands: readonly Completed[]): string {
  const taking = commands.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .flatMap((option) => spellings(option).map((spelling) => quoted(`${path} ${spelling}`))),
  );
  const paths = commands.map(({ path }) => path).filter((path) => path !== '');
  return `# Completes sse-gateway in fish; made by: sse-gateway completion fish
function __sse_gateway_at --description 'Whether the command line stands at this command'
    set -l at ''
    set -l skip 0
    set -l typed (commandline -opc)
    for word in $typed[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at $word"
            case ${taking.join(' ')}
                set skip 1
                continue
        end
        switch "$at/$word"
            case ${paths.map(quoted).join(' ')}
                set at "$at/$word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c sse-gateway -e
complete -c sse-gateway -f
${commands.flatMap(lines).join('\n')}
`;
}

function lines({ path, options, words }: Completed): readonly string[] {
  const here = `complete -c sse-gateway -n ${quoted(`__sse_gateway_at '${path}'`)}`;
  return [
    ...words.map(({ name, about }) => `${here} -a ${quoted(name)} -d ${quoted(about)}`),
    ...options.map((option) => `${here} ${optionOf(option)} -d ${quoted(option.about)}`),
  ];
}

/** \`-r\` asks for a value, \`-F\` offers files for it. */
function optionOf({ long, short, value }: CompletedOption): string {
  const names = [`-l ${quoted(long.slice(2))}`, ...(short === undefined ? [] : [`-s ${quoted(short.slice(1))}`])];
  const takes = value === 'none' ? [] : [value === 'file' ? '-r -F' : '-x'];
  return [...names, ...takes].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
