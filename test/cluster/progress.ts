export type Log = (line: string) => void;

/** Where progress goes when nobody says otherwise: not to standard output, which is for what a command prints. */
export const logToStderr: Log = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Says that `what` has begun, every ten seconds that it goes on (with `detail`, if there is one), and how long it took. */
export async function withProgress<T>(
  what: string,
  log: Log,
  work: (detail: (text: string) => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const elapsed = (): string => `${Math.round((performance.now() - started) / 1000)} s`;
  let detail = '';
  log(`${what} ...`);
  const timer = setInterval(() => log(`${what} ... ${elapsed()}${detail === '' ? '' : `, ${detail}`}`), 10_000);
  try {
    const result = await work((text) => {
      detail = text;
    });
    log(`${what}: done after ${elapsed()}`);
    return result;
  } finally {
    clearInterval(timer);
  }
}
