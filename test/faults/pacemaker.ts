/** Tells whether the machine was too busy for a verdict about how long something took. */
export interface Pacemaker {
  /** The longest delay since then, in milliseconds, of what should have taken no time. */
  worstSince(at: number): number;
  stop(): void;
}

const beat = 250;

/** `work` is something that takes no time where there is any to spare: a request to the API server. `now` gives milliseconds. */
export function startPacemaker(work: () => Promise<unknown>, now: () => number): Pacemaker {
  const delays: { readonly at: number; readonly ms: number }[] = [];
  let under: number | undefined;
  const tick = async (): Promise<void> => {
    const started = now();
    under = started;
    await work().catch(() => undefined);
    under = undefined;
    delays.push({ at: now(), ms: now() - started });
  };
  let due = now() + beat;
  const timer = setInterval(() => {
    // The time by which this process itself was late counts as well.
    delays.push({ at: now(), ms: Math.max(0, now() - due) });
    due = now() + beat;
    if (under === undefined) void tick();
  }, beat);
  return {
    worstSince: (at) => {
      const known = delays.filter((delay) => delay.at >= at).map(({ ms }) => ms);
      return Math.max(0, ...known, under === undefined ? 0 : now() - under);
    },
    stop: () => clearInterval(timer),
  };
}
