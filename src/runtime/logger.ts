/** Fields beside a log message: names, ids, counts. Never a secret value (a `SecretValue` prints as `[redacted]`). */
export type LogFields = Readonly<Record<string, unknown>>;

/** A constant message and an object of fields. The winston one is made in `logging.ts`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every record. */
  child(fields: LogFields): Logger;
}

/** Says nothing: for libraries and tests. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
