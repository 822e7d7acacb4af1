import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const module = new URL('crash.ts', import.meta.url).href;

/** Runs a process that crashes, and gives how it ended and all that it wrote. */
async function crash(how: string): Promise<readonly [code: number | null, written: string]> {
  const script = `import { crashWithoutMessages } from '${module}'; crashWithoutMessages(); ${how}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script]);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [code, out, notes] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return [code, out + notes];
}

it.each([
  ['an error that nobody caught', "setTimeout(() => JSON.parse('c4n4ry!'), 1)"],
  ['a promise that nobody waited for', "void Promise.reject(new Error('c4n4ry!', { cause: 'c4n4ry!' }))"],
  ['what is no error', "setTimeout(() => { throw 'c4n4ry!' }, 1)"],
])(
  'security rule 16: a process that ends by %s says where, and nothing of a value',
  async (_what, how) => {
    const [code, written] = await crash(how);
    expect(code).toBe(1);
    expect(written).toContain('crashed:');
    expect(written).not.toContain('c4n4ry');
  },
  60_000,
);
