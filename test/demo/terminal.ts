import { join } from 'node:path';
import { runCommand } from '../cluster/command.ts';
import type { World } from './world.ts';

const root = join(import.meta.dirname, '..', '..');

/** Shows what happens, as a person at a terminal would see it. */
export interface Terminal {
  /** A line or two between the commands. */
  readonly say: (text: string) => void;
  /** Shows a command, runs it in a shell, and shows what it printed. Throws where it fails, or where its output lacks one of `shows`. */
  readonly run: (command: string, shows?: readonly (string | RegExp)[]) => Promise<string>;
}

export function say(text: string): void {
  process.stdout.write(`\n# ${text.replaceAll('\n', '\n# ')}\n`);
}

export function openTerminal(world: World): Terminal {
  const node = join(root, 'node_modules', '.bin');
  const env = { ...world.env, PATH: [world.binaries, world.tools, node, process.env['PATH'] ?? ''].join(':') };
  return {
    say,
    run: async (command, shows = []) => {
      process.stdout.write(`\n$ ${command}\n`);
      const output = await runCommand('sh', ['-c', command], { cwd: root, env });
      process.stdout.write(output.endsWith('\n') ? output : `${output}\n`);
      const missing = shows.filter((wanted) => !found(output, wanted));
      if (missing.length > 0) throw new Error(`this does not show what it should: ${missing.join(' and ')}`);
      return output;
    },
  };
}

function found(output: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? output.includes(wanted) : wanted.test(output);
}
