import { readdir, readFile, readlink } from 'node:fs/promises';
import { constants } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeFlags } from '../operator/operator-process.ts';
import { startWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

const proc = (file: string): string => `/proc/${world.operator().pid}/${file}`;

/** The bits of a mask of signals, by the signals' numbers. */
async function signals(mask: 'SigCgt' | 'SigBlk'): Promise<(signal: number) => boolean> {
  const [, hex = '0'] = new RegExp(`^${mask}:\\s*([0-9a-f]+)$`, 'm').exec(await readFile(proc('status'), 'utf8')) ?? [];
  return (signal) => ((BigInt(`0x${hex}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** The TCP ports that the operator listens on. */
async function ports(): Promise<readonly number[]> {
  const files = await readdir(proc('fd'));
  const links = await Promise.all(files.map((file) => readlink(proc(`fd/${file}`)).catch(() => '')));
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]));
  const tables = await Promise.all([readFile(proc('net/tcp'), 'utf8'), readFile(proc('net/tcp6'), 'utf8')]);
  const rows = tables.flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)));
  const listening = rows.filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode));
  return listening.map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16));
}

test('security rule 22: the operator runs under the flags of the image, and nothing adds others', async () => {
  const words = (await readFile(proc('cmdline'), 'utf8')).split('\0');
  const before = words.slice(
    1,
    words.findIndex((word) => word.endsWith('operator.mjs')),
  );

  expect(before).toEqual(nodeFlags);
  expect(nodeFlags).toEqual(
    expect.arrayContaining(['--disallow-code-generation-from-strings', '--disable-proto=delete', '--disable-sigusr1']),
  );
});

test('security rule 22: no signal opens an inspector or writes the heap', async () => {
  const [caught, blocked] = [await signals('SigCgt'), await signals('SigBlk')];

  world.operator().signal('SIGUSR1');

  expect(caught(constants.signals.SIGTERM)).toBe(true);
  expect(caught(constants.signals.SIGUSR1)).toBe(false);
  expect(blocked(constants.signals.SIGUSR1)).toBe(true);
  expect(caught(constants.signals.SIGUSR2)).toBe(false);
});

test('security rule 22: the operator listens on its one port and on no other', async () => {
  expect(await ports()).toEqual([Number(new URL(world.operator().url).port)]);
});

test('security rule 22: a crash leaves no memory behind', async () => {
  const limits = await readFile(proc('limits'), 'utf8');

  expect(limits).toMatch(/^Max core file size\s+0\s/m);
});
