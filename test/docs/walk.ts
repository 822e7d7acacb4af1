import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../cluster/command.ts';
import type { World } from '../demo/world.ts';
import { type Block, isManifest, type Page } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');

/** A shell in a folder that looks like a checkout, in which commands may leave files. */
export interface Shell {
  /** Runs a script; gives what it printed. Throws where it fails. */
  run(script: string, input?: string): Promise<string>;
  close(): Promise<void>;
}

export async function openShell(world: Pick<World, 'env' | 'binaries' | 'tools'>): Promise<Shell> {
  const cwd = await mkdtemp(join(tmpdir(), 'keyferry-docs-'));
  for (const name of ['charts', 'crds', 'policies', 'rbac', 'types', 'examples']) {
    await cp(join(root, name), join(cwd, name), { recursive: true });
  }
  for (const name of ['dist', 'test', 'node_modules', 'package.json']) await symlink(join(root, name), join(cwd, name));
  const env = {
    ...world.env,
    PATH: [world.binaries, world.tools, join(root, 'node_modules', '.bin'), process.env['PATH']].join(':'),
  };
  return {
    run: (script, input = '') => runCommand('sh', ['-e', '-c', script], { cwd, env, input }),
    close: () => rm(cwd, { recursive: true, force: true }),
  };
}

/** A block that can be done: a manifest, or commands that need no more than a cluster. */
export function isStep(block: Block): boolean {
  return isManifest(block) || (block.language === 'sh' && block.note === '');
}

/** Does what a page says, block by block: applies manifests, waits until their references are ready, runs commands. Gives how many blocks it did. */
export async function walk(page: Page, shell: Shell): Promise<number> {
  const steps = page.blocks.filter(isStep);
  for (const step of steps) {
    if (isManifest(step)) await applyManifest(step.text, shell);
    else await shell.run(step.text);
  }
  return steps.length;
}

async function applyManifest(text: string, shell: Shell): Promise<void> {
  await shell.run('kubectl apply -f -', text);
  const names = Array.from(text.matchAll(/^kind: SecretReference\n.*?^ {2}name: (\S+)$/gms), ([, name]) => name);
  if (names.length > 0) await shell.run(`kubectl wait sref ${names.join(' ')} --for=condition=Ready --timeout=30s`);
}
