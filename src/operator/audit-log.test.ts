import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuditEntry } from '../controllers/audit.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import { openAuditLog, streamAuditLog } from './audit-log.ts';

const clock = createFakeClock();
const entry: AuditEntry = {
  action: 'reveal',
  user: 'ada',
  namespace: 'shop',
  secret: 'db',
  result: 'Allowed',
  reason: 'why',
};
const line = { time: '2026-01-01T00:00:00.000Z', stream: 'audit', ...entry };
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function linesOf(path: string): Promise<unknown[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((each): unknown => JSON.parse(each));
}

test('a record is one line of JSON that says which stream it is of', async () => {
  const chunks: string[] = [];
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });

  await streamAuditLog(output, clock).record({ ...entry, version: undefined });

  expect(chunks).toHaveLength(1);
  expect(chunks[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(chunks[0] ?? '')).toEqual(line);
});

test('a record is written when its promise resolves, and not before', async () => {
  const held = Promise.withResolvers<() => void>();
  const output = new Writable({ write: (_chunk, _encoding, done) => held.resolve(done) });
  let resolved = false;

  const record = streamAuditLog(output, clock)
    .record(entry)
    .then(() => (resolved = true));
  const done = await held.promise;
  expect(resolved).toBe(false);
  done();

  expect(await record).toBe(true);
});

test('a stream that fails rejects the record, in words of ours', async () => {
  const output = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE: canary')) });
  output.on('error', () => undefined);

  await expect(streamAuditLog(output, clock).record(entry)).rejects.toThrow(
    'the audit log can not be written to: its stream failed',
  );
});

test('a file gets all records in their order, and only its owner may read it', async () => {
  const path = join(folder, 'audit.jsonl');
  const log = await openAuditLog(path, clock);

  await Promise.all([1, 2, 3].map((version) => log.record({ ...entry, version })));

  expect(await linesOf(path)).toMatchObject([{ version: 1 }, { version: 2 }, { version: 3 }]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a file that is moved away is begun anew, and one that is there is gone on with', async () => {
  const path = join(folder, 'audit.jsonl');
  const log = await openAuditLog(path, clock);
  await log.record({ ...entry, version: 1 });
  await rename(path, `${path}.1`);

  await log.record({ ...entry, version: 2 });
  await (await openAuditLog(path, clock)).record({ ...entry, version: 3 });

  expect(await linesOf(`${path}.1`)).toEqual([{ ...line, version: 1 }]);
  expect(await linesOf(path)).toMatchObject([{ version: 2 }, { version: 3 }]);
});

test('a file that can not be written to fails the start, and later the record alone', async () => {
  const inside = join(folder, 'logs');
  await expect(openAuditLog(join(inside, 'audit.jsonl'), clock)).rejects.toThrow('can not be written to');

  const path = join(folder, 'audit.jsonl');
  const log = await openAuditLog(path, clock);
  await rename(folder, `${folder}-away`);
  await expect(log.record(entry)).rejects.toThrow(`can not be written to ${path}`);
  await rename(`${folder}-away`, folder);
  await log.record(entry);

  const text = await readFile(path, 'utf8');
  expect(text.split('\n').filter((each) => each !== '')).toHaveLength(1);
});

test.each(['stdout', 'stderr'])('%s is a place for it', async (target) => {
  await expect(openAuditLog(target, clock)).resolves.toHaveProperty('record');
});
