/**
 * Marks an error class whose messages are texts of our own, without secret values and without what a parser, a library or a backend
 * said: `readonly [safeMessage] = true`. Only the messages of such errors are logged.
 */
export const safeMessage: unique symbol = Symbol.for('keyferry.safeMessage');

/** A failure that another try can't cure: the request is not retried until something enqueues it again. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  readonly [safeMessage] = true;
}

/**
 * What may be logged of a thrown thing. Name and message of errors marked with `safeMessage`; of all others the class, an error code and the
 * stack frames, never the message, since those of parsers and SDKs can quote what they were given.
 */
export function describeError(error: unknown): { error: string } {
  return { error: describe(error) };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return `thrown ${error === null ? 'null' : typeof error}`;
  }
  if (safeMessage in error && error[safeMessage] === true) {
    return `${error.name}: ${error.message}`;
  }
  const codes = [error, error.cause].map(errorCode).filter((code) => code !== undefined);
  const head = codes.length > 0 ? `${className(error)} [${codes.join(', ')}]` : className(error);
  return [head, ...stackFrames(error)].join('\n');
}

function className(error: Error): string {
  return /^[A-Za-z]\w{0,63}$/.test(error.name) ? error.name : 'Error';
}

/** Codes of the system, Node and undici, such as ECONNREFUSED; other libraries put what they like there. */
function errorCode(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(?:E[A-Z0-9]{2,15}|(?:UND_)?ERR_[A-Z0-9_]{1,40})$/.test(code) ? code : undefined;
}

const frame = /^ {4}at (?:[\w.$<># [\]]+ \()?(?:node:|file:|\/)[^\s()]*:\d+:\d+\)?$/;
const maxFrames = 10;

/** The frames after the message. Where the message can't be found in the stack (it was changed later) there are none. */
function stackFrames(error: Error): string[] {
  const stack = typeof error.stack === 'string' ? error.stack : '';
  const at = stack.indexOf(error.message);
  if (at === -1) {
    return [];
  }
  const lines = stack.slice(at + error.message.length).split('\n');
  return lines.filter((line) => frame.test(line)).slice(0, maxFrames);
}
