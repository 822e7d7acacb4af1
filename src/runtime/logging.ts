import winston from 'winston';
import type { Clock } from './clock.ts';
import { type SafeField, safeFields } from './log-fields.ts';
import type { LogFields, Logger } from './logger.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LoggerOptions {
  /** The lowest level that is written. */
  readonly level: LogLevel;
  /** `json`: one object a line. `text`: the same for people to read. */
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Where the lines go, `process.stdout` say. It is never closed. */
  readonly output: NodeJS.WritableStream;
}

/** Makes the logger. A record is one line; what its fields may show, `safeFields` decides. */
export function createLogger(options: LoggerOptions): Logger {
  const render = options.format === 'json' ? jsonLine : textLine;
  const sink = winston.createLogger({
    level: options.level,
    levels: { error: 0, warn: 1, info: 2, debug: 3 },
    format: winston.format.printf((info) => String(info.message)),
    transports: [new winston.transports.Stream({ stream: options.output, eol: '\n' })],
  });
  return fieldLogger((level, message, fields) => {
    if (sink.isLevelEnabled(level)) {
      const time = new Date(options.clock.now()).toISOString();
      // The line is made here and not by winston, which merges fields of its own names into the record.
      sink.log(level, render({ time, level, message, fields: safeFields(fields) }));
    }
  }, {});
}

type Write = (level: LogLevel, message: string, fields: LogFields) => void;

function fieldLogger(write: Write, own: LogFields): Logger {
  return {
    debug: (message, fields) => write('debug', message, { ...own, ...fields }),
    info: (message, fields) => write('info', message, { ...own, ...fields }),
    warn: (message, fields) => write('warn', message, { ...own, ...fields }),
    error: (message, fields) => write('error', message, { ...own, ...fields }),
    child: (fields) => fieldLogger(write, { ...own, ...fields }),
  };
}

interface LogRecord {
  readonly time: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, SafeField>>;
}

const reserved: ReadonlySet<string> = new Set(['time', 'level', 'message']);

function jsonLine({ time, level, message, fields }: LogRecord): string {
  const others = Object.entries(fields).map(
    ([name, value]) => [reserved.has(name) ? `${name}_` : name, value] as const,
  );
  return JSON.stringify({ time, level, message, ...Object.fromEntries(others) });
}

function textLine({ time, level, message, fields }: LogRecord): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${textValue(name)}=${textValue(value)}`);
  return [time, level.toUpperCase().padEnd(5), textMessage(message), ...pairs].join(' ');
}

/** Plain words stand as they are; all else is quoted, so that a field can neither begin a line nor look like another field. */
function textValue(value: SafeField): string {
  return typeof value === 'string' && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}

function textMessage(message: string): string {
  return /^[ -~]*$/.test(message) ? message : JSON.stringify(message);
}
