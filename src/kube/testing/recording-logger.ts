import type { LogFields, Logger } from '../../runtime/logger.ts';

export interface LogRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

export interface RecordingLogger extends Logger {
  readonly records: LogRecord[];
}

/** Keeps what is logged, so that a test can look at it. */
export function createRecordingLogger(records: LogRecord[] = [], context: LogFields = {}): RecordingLogger {
  const at = (level: LogRecord['level']) => (message: string, fields?: LogFields) =>
    void records.push({ level, message, fields: { ...context, ...fields } });
  return {
    records,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => createRecordingLogger(records, { ...context, ...fields }),
  };
}
