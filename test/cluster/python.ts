import { createHash } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, isExecutable } from './cache.ts';
import { runCommand } from './command.ts';
import { type Log, withProgress } from './progress.ts';

/** How to start Python with the packages of a requirements file. */
export interface Python {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Finds, or makes in the cache, a Python environment with exactly what the file `requirements` pins. `what` names it to people. */
export async function ensurePython(what: string, requirements: string, log: Log): Promise<Python> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16);
  const dir = join(cacheDir(process.env), 'python', digest);
  if (!(await isExecutable(dir))) {
    await requirePython(what);
    await withProgress(`Installing ${what}`, log, (detail) => install(dir, requirements, detail));
  }
  return (await isExecutable(interpreter(dir)))
    ? { command: interpreter(dir), env: {} }
    : { command: 'python3', env: { PYTHONPATH: join(dir, 'site') } };
}

async function requirePython(what: string): Promise<void> {
  const check = 'import sys; sys.exit(sys.version_info < (3, 10))';
  await runCommand('python3', ['-c', check]).catch((cause: unknown) => {
    throw new Error(`${what} needs Python 3.10 or newer, and there is none. Install python3.`, { cause });
  });
}

/** Made beside its final place and renamed, so that an interruption leaves nothing half done. */
async function install(dir: string, requirements: string, detail: (text: string) => void): Promise<void> {
  const draft = `${dir}.${process.pid}`;
  try {
    await firstThatWorks(ways(draft, requirements), async ({ name, commands }) => {
      detail(name);
      await rm(draft, { recursive: true, force: true });
      for (const [command, ...args] of commands) {
        await runCommand(command, args);
      }
    });
    await rename(draft, dir);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

interface Way {
  readonly name: string;
  readonly commands: readonly (readonly [string, ...string[]])[];
}

/** Each way needs something that distributions like to leave out: ensurepip, virtualenv, pip. */
function ways(dir: string, requirements: string): readonly Way[] {
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--require-hashes',
    '-r',
    requirements,
  ];
  const intoVenv = [interpreter(dir), ...pip] as const;
  return [
    { name: 'venv', commands: [['python3', '-m', 'venv', dir], intoVenv] },
    { name: 'virtualenv', commands: [['python3', '-m', 'virtualenv', dir], intoVenv] },
    { name: 'pip --target', commands: [['python3', ...pip, '--target', join(dir, 'site')]] },
  ];
}

async function firstThatWorks(candidates: readonly Way[], attempt: (way: Way) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (const candidate of candidates) {
    try {
      await attempt(candidate);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(
    failures,
    `Could not install Python packages. Install python3-venv or python3-pip. What was tried:\n${failures.map(String).join('\n')}`,
  );
}

function interpreter(dir: string): string {
  return join(dir, 'bin', 'python');
}
