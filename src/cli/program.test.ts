import { describe, expect, it } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { createProgram, runCli } from './program.ts';
import { fakeContext } from './testing/fake-context.ts';

async function run(...argv: readonly string[]): Promise<{ code: number; out: string; notes: string }> {
  const { io, outputs, notes } = fakeContext();
  const code = await runCli({
    argv,
    name: 'keyferry',
    env: { KUBECONFIG: '/nowhere/kubeconfig' },
    home: '/nowhere',
    configFolder: '/nowhere',
    io,
    version: '1.2.3',
    clock: systemClock,
    signal: new AbortController().signal,
  });
  return { code, out: outputs.join(''), notes: notes.join('\n') };
}

describe('the command', () => {
  it('prints its version', async () => {
    expect(await run('version')).toEqual({ code: 0, out: 'keyferry 1.2.3\n', notes: '' });
  });

  it('prints its help where that is asked for, and where nothing is', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: keyferry'), notes: '' });
    expect(await run('put', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('Usage: keyferry put') });
    expect(await run()).toMatchObject({ code: 2, out: '', notes: expect.stringContaining('Usage: keyferry') });
  });

  it.each([
    [['lisst'], 'Did you mean list?'],
    [['show'], "missing required argument 'name'"],
    [['show', 'a', 'canary'], "too many arguments for 'show'"],
    [['show', 'pässword'], 'letters, digits, space'],
    [['put', 'db', 'canary'], 'never taken from an argument'],
    [['put', 'db', '--value=canary'], "unknown option '--value'"],
    [['list', '-o', 'xml'], 'Use one of table, wide, json, yaml, raw'],
    [['list', '--older-than', 'long'], 'for example 90d'],
    [['list', '--as-group', 'team'], '--as-group needs --as'],
  ])('ends %j with a line that says what is wrong, and repeats no value', async (argv, message) => {
    const { code, out, notes } = await run(...argv);
    expect([code > 0, out]).toEqual([true, '']);
    expect(notes).toMatch(/^error: /);
    expect(notes).toContain(message);
    expect(notes).not.toContain('canary');
  });

  it('says which kubeconfig it can not read', async () => {
    expect(await run('list')).toEqual({ code: 1, out: '', notes: 'error: cannot read /nowhere/kubeconfig: ENOENT' });
  });

  it('describes each command, option and argument', () => {
    const { io } = fakeContext();
    const settings = { argv: [], name: 'keyferry', env: {}, home: '', configFolder: '', io, version: '1' };
    const program = createProgram({ ...settings, clock: systemClock, signal: new AbortController().signal });
    const bare: string[] = [];
    for (const command of program.commands) {
      if (command.description() === '') bare.push(command.name());
      for (const option of command.options) if (option.description === '') bare.push(option.flags);
    }
    expect(bare).toEqual([]);
  });
});
