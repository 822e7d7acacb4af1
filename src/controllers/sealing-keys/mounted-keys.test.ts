import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRecordingLogger } from '../../kube/testing/recording-logger.ts';
import { createFakeClock } from '../../runtime/fake-clock.ts';
import { watchMountedKeys } from './mounted-keys.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function setup() {
  const clock = createFakeClock();
  const logger = createRecordingLogger();
  const seen: string[][] = [];
  const watch = watchMountedKeys({
    folder,
    clock,
    logger,
    onChange: () => {
      const stored = watch.read();
      seen.push(stored.state === 'present' ? [...stored.data].map(([name, { size }]) => `${name}:${size}`) : []);
    },
  });
  /** Lets it look, and waits until it has. */
  const look = async (): Promise<void> => {
    await clock.advance(30_000);
    await vi.waitFor(() => expect(clock.pending()).toBe(1));
  };
  return { watch, logger, seen, look, clock };
}

describe('mounted keys', () => {
  it('are the files of the folder, without those of the mount itself', async () => {
    await writeFile(join(folder, '1.agekey'), 'one');
    await writeFile(join(folder, '..data'), 'x');
    const { watch, seen, look } = setup();
    expect(watch.read()).toEqual({ state: 'loading' });
    await look();
    expect(seen).toEqual([['1.agekey:3']]);
    watch.stop();
  });

  it('are the only thing that is read: a volume has other things beside them, and a pipe has no end', async () => {
    await mkdir(join(folder, 'lost+found'));
    await writeFile(join(folder, 'README'), 'x'.repeat(10_000));
    await writeFile(join(folder, '1.agekey'), 'one');
    await mkdir(join(folder, '2.agekey'));
    await promisify(execFile)('mkfifo', [join(folder, '3.agekey')]);
    const { watch, seen, look } = setup();
    await look();
    expect(seen).toEqual([['1.agekey:3', '2.agekey:0', '3.agekey:0']]);
    watch.stop();
  });

  it('are told again when they changed, and only then', async () => {
    await writeFile(join(folder, '1.agekey'), 'one');
    const { watch, seen, look } = setup();
    await look();
    await look();
    await writeFile(join(folder, '2.agekey'), 'second');
    await look();
    expect(seen).toEqual([['1.agekey:3'], ['1.agekey:3', '2.agekey:6']]);
    watch.stop();
  });

  it('stay as they were while the folder can not be read, which is logged', async () => {
    await writeFile(join(folder, '1.agekey'), 'one');
    const { watch, seen, look, logger } = setup();
    await look();
    await rm(folder, { recursive: true });
    await look();
    expect([seen.length, watch.read().state, logger.records[0]?.fields]).toEqual([1, 'present', { folder }]);
    watch.stop();
  });

  it('are not read where a file is too large to be one', async () => {
    await writeFile(join(folder, 'big.agekey'), 'x'.repeat(10_000));
    const { watch, seen, look } = setup();
    await look();
    expect(seen).toEqual([['big.agekey:0']]);
    watch.stop();
  });

  it('are not looked at any more after the stop', async () => {
    const { watch, look, clock } = setup();
    await look();
    watch.stop();
    expect(clock.pending()).toBe(0);
  });
});
