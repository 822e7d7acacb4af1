import { spawn } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { startProcess } from './guarded-process.ts';
import { ProcessGroup } from './process-group.ts';
import { isRunning } from './process-table.ts';
import { waitFor } from './wait.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyferry-process-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('a guarded process', () => {
  test('is gone once stop resolves', async () => {
    const sleeper = await startProcess({ command: 'sleep', args: ['600'], logFile: join(dir, 'log') });
    expect(await isRunning(sleeper.pid)).toBe(true);

    await sleeper.stop();

    expect(await isRunning(sleeper.pid)).toBe(false);
    expect(sleeper.ended()).toBe('signal SIGTERM');
  });

  test('tells how it ended by itself', async () => {
    const failing = await startProcess({ command: 'sh', args: ['-c', 'exit 3'], logFile: join(dir, 'log') });

    expect(await failing.exited).toBe('exit code 3');
  });

  test('does not outlive a parent that was killed', async () => {
    const script = join(dir, 'parent.ts');
    const module = join(import.meta.dirname, 'guarded-process.ts');
    const start = `await startProcess({ command: 'sleep', args: ['600'], logFile: ${JSON.stringify(join(dir, 'log'))} })`;
    await writeFile(
      script,
      `import { startProcess } from ${JSON.stringify(module)};
       const child = ${start};
       process.stdout.write(String(child.pid));
       setInterval(() => undefined, 1000);`,
    );
    const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (output) => resolve(Number(String(output))));
    });
    expect(await isRunning(pid)).toBe(true);

    parent.kill('SIGKILL');

    const gone = await waitFor(
      { what: 'the child to die', timeout: 10_000 },
      async () => !(await isRunning(pid)) || undefined,
    );
    expect(gone).toBe(true);
  });
});

describe('a group of processes', () => {
  test('shows the end of the log of a part that does not start', async () => {
    const group = new ProcessGroup({ dir, temporary: false, log: () => undefined });
    await group.start('broken', 'sh', ['-c', 'echo no such flag; exit 1']);

    const ready = group.ready('broken', async () => undefined);

    await expect(ready).rejects.toThrow(/broken did not start\. The end of its log:\nno such flag/);
  });

  test('tells when a part ends that nobody stopped, and not when somebody did', async () => {
    const lines: string[] = [];
    const group = new ProcessGroup({ dir, temporary: false, log: (line) => lines.push(line) });
    await group.start('stopped', 'sleep', ['600']);
    await group.start('crashed', 'sh', ['-c', 'echo out of luck; exit 1']);

    await group.stop('stopped', 'SIGKILL');

    await waitFor({ what: 'the message', timeout: 10_000 }, async () => lines[0]);
    expect(lines).toEqual(['crashed ended by itself with exit code 1. The end of its log:\nout of luck']);
    expect(group.pids()).toEqual({});
  });

  test('refuses to start the same part twice', async () => {
    const group = new ProcessGroup({ dir, temporary: false, log: () => undefined });
    await group.start('part', 'sleep', ['600']);

    const again = group.start('part', 'sleep', ['600']);

    await expect(again).rejects.toThrow('part is running already');
    await group.stopAll();
  });

  test('goes with its folder when this process ends without stopping it', async () => {
    const folder = join(dir, 'group');
    const module = join(import.meta.dirname, 'process-group.ts');
    const script = join(dir, 'careless.ts');
    await writeFile(
      script,
      `import { ProcessGroup } from ${JSON.stringify(module)};
       const group = new ProcessGroup({ dir: ${JSON.stringify(folder)}, temporary: true, log: () => undefined });
       await group.start('part', 'sleep', ['600']);
       process.stdout.write(String(group.pids().part));
       process.exit(0);`,
    );

    const pid = Number(await runCommand(process.execPath, [script]));

    await waitFor({ what: 'the part to die', timeout: 10_000 }, async () => !(await isRunning(pid)) || undefined);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  });
});
