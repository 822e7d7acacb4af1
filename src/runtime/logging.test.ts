import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { TerminalError } from './errors.ts';
import { createFakeClock } from './fake-clock.ts';
import { createLogger, type LogFormat, type LogLevel } from './logging.ts';

const canary = 'hunter2-canary';

class Redacted {
  readonly inner = canary;
  toJSON(): string {
    return '[redacted]';
  }
}

function setUp(format: LogFormat = 'json', level: LogLevel = 'debug') {
  const output = new PassThrough();
  const logger = createLogger({ level, format, clock: createFakeClock(0), output });
  const text = (): string => String(output.read() ?? '');
  return { logger, text, record: (): unknown => JSON.parse(text()) };
}

describe('the logger', () => {
  it('writes one JSON object a line, with the time, the level, the message and the fields', () => {
    const { logger, text } = setUp();
    logger.info('started', { version: '1.2.3', workers: 16 });
    expect(text()).toBe(
      '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"started","version":"1.2.3","workers":16}\n',
    );
  });

  it('writes a readable line', () => {
    const { logger, text } = setUp('text');
    logger.warn('will try again', { name: 'shop/api-db', wait: 5, why: 'not yet' });
    expect(text()).toBe('1970-01-01T00:00:00.000Z WARN  will try again name=shop/api-db wait=5 why="not yet"\n');
  });

  it('writes nothing below its level', () => {
    const { logger, text } = setUp('json', 'warn');
    logger.debug('no');
    logger.info('no');
    expect(text()).toBe('');
    logger.error('yes');
    expect(text()).toContain('yes');
  });

  it('adds the fields of a child to every record, the nearest last', () => {
    const { logger, record } = setUp();
    logger.child({ controller: 'a', kind: 'x' }).child({ kind: 'y' }).info('hello', { name: 'n' });
    expect(record()).toMatchObject({ controller: 'a', kind: 'y', name: 'n' });
  });

  it('keeps its own names to itself', () => {
    const { logger, record } = setUp();
    logger.info('hello', { level: 'l', message: 'm', time: 't', stack: 's', splat: 'p' });
    expect(record()).toEqual({
      time: '1970-01-01T00:00:00.000Z',
      level: 'info',
      message: 'hello',
      level_: 'l',
      message_: 'm',
      time_: 't',
      stack: 's',
      splat: 'p',
    });
  });

  it('leaves a message with format characters as it is', () => {
    const { logger, record } = setUp();
    logger.info('100%s of %o', { a: 1 });
    expect(record()).toMatchObject({ message: '100%s of %o', a: 1 });
  });

  it.each(['json', 'text'] as const)(
    'security rule 16: never writes the message of a foreign error, as %s',
    (format) => {
      const { logger, text } = setUp(format);
      const error = new SyntaxError(`Unexpected token in "${canary}"`, { cause: new Error(canary) });
      logger.error('failed', { error, nested: { list: [{ error }] }, cause: error });
      const line = text();
      expect(line).not.toContain(canary);
      expect(line).toContain('SyntaxError');
    },
  );

  it('writes the message of an error of ours', () => {
    const { logger, record } = setUp();
    logger.error('failed', { error: new TerminalError('no such key') });
    expect(record()).toMatchObject({ error: 'TerminalError: no such key' });
  });

  it.each(['json', 'text'] as const)(
    'never writes bytes, what hides itself, or the entries of maps, as %s',
    (format) => {
      const { logger, text } = setUp(format);
      const bytes = Buffer.from(canary);
      logger.info('values', {
        hidden: new Redacted(),
        nested: [{ hidden: new Redacted() }],
        buffer: bytes,
        array: Uint8Array.from(bytes),
        raw: new ArrayBuffer(4),
        map: new Map([[canary, canary]]),
        set: new Set([canary]),
      });
      const line = text();
      expect(line).not.toContain(canary);
      expect(line).not.toContain(String(bytes[0]));
      expect(line).not.toContain(bytes.toString('base64'));
      expect(line.match(/\[redacted\]/g)).toHaveLength(2);
      expect(line.match(/\[bytes\]/g)).toHaveLength(3);
    },
  );

  it('survives fields that can not be written', () => {
    const { logger, record } = setUp();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const bad = {
      get value(): never {
        throw new Error(canary);
      },
    };
    logger.info('odd', { circle, bad, big: 1n, nan: Number.NaN, fn: () => canary, nothing: undefined, nil: null });
    expect(record()).toMatchObject({ bad: '[unreadable]', big: '1', nan: 'NaN', fn: '[function]', nil: null });
  });

  it.each(['json', 'text'] as const)('lets no field begin a line of its own, as %s', (format) => {
    const { logger, text } = setUp(format);
    logger.info('a\nb', { 'x\ny': 'c\nd', other: ['e\nf'] });
    expect(text().trimEnd()).not.toContain('\n');
  });
});
