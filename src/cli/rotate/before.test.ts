import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../managers/secret-value.ts';
import { runBefore } from './before.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'before-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;
const value = SecretValue.fromString('canary-77');

describe('the command of --before', () => {
  it('gets the value on its standard input, byte for byte', async () => {
    const bytes = SecretValue.fromBytes(Uint8Array.from([0, 255, 10]));
    await runBefore(`cat > ${join(folder, 'got')}`, bytes, never);
    expect(Uint8Array.from(await readFile(join(folder, 'got')))).toEqual(bytes.asBytes());
  });

  it('may leave its input unread', async () => {
    await expect(runBefore('true', SecretValue.fromBytes(new Uint8Array(1_000_000)), never)).resolves.toBeUndefined();
  });

  it.each([
    ['exit 3', 'failed with exit code 3'],
    ['kill -9 $$', 'was ended by SIGKILL'],
    ['/no/such/command 2> /dev/null', 'failed with exit code 127'],
  ])('%s: nothing may be put', async (command, says) => {
    await expect(runBefore(command, value, never)).rejects.toThrow(`${says}: nothing was put`);
  });

  it('ends with Ctrl-C', async () => {
    const controller = new AbortController();
    const running = runBefore(
      'read -r line; exec cat /dev/zero > /dev/null',
      SecretValue.fromString('a\n'),
      controller.signal,
    );
    controller.abort();
    await expect(running).rejects.toThrow('was interrupted: nothing was put');
  });

  it('does not have the value in its failure', async () => {
    await expect(runBefore('exit 1', value, never)).rejects.not.toThrow('canary-77');
  });
});
