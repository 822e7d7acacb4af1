import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { completionScript } from './completion-script.ts';

const run = promisify(execFile);

function program(): Command {
  const keys = new Command('keys').description("the operator's keys");
  keys.command('list').option('--all');
  keys.command('backup').option('--file <file>', 'where to');
  return new Command('keyferry').option('-n, --namespace <name>').addCommand(keys).addCommand(new Command('put'));
}

/** What bash completes after these words. */
async function completed(...words: readonly string[]): Promise<readonly string[]> {
  const list = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _keyferry; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run('bash', ['-c', `${completionScript(program(), 'bash')}\n${ask}`]);
  return stdout.trim().split('\n');
}

describe('the completion for bash', () => {
  it.each<[readonly string[], readonly string[]]>([
    [
      ['keyferry', ''],
      ['keys', 'put'],
    ],
    [['keyferry', 'k'], ['keys']],
    [
      ['keyferry', 'keys', ''],
      ['list', 'backup'],
    ],
    [['keyferry', '-n', 'shop', 'keys', 'b'], ['backup']],
    [['keyferry', 'keys', 'backup', '--f'], ['--file']],
    [['keyferry', 'put', '--n'], ['--namespace']],
  ])('of %o is %o', async (words, completions) => {
    expect(await completed(...words)).toEqual(completions);
  });
});

describe('the completion for fish', () => {
  it('names the commands with what they do, quoted', () => {
    expect(completionScript(program(), 'fish')).toContain(
      "complete -c keyferry -f -n '__fish_use_subcommand' -a keys -d 'the operator\\'s keys'",
    );
  });
});

describe('the completion for zsh', () => {
  it('knows every command and its options', () => {
    const script = completionScript(program(), 'zsh');
    expect(script).toContain("'keys backup') commands='' options='--file --namespace --help' ;;");
    expect(script).toContain('compdef _keyferry keyferry');
  });
});
