import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FaultBook } from '../fault-book.ts';
import type { Fault } from '../plan.ts';
import { WatchTap } from './watch-tap.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type EventFault = Extract<Fault, { on: 'event' }>['do'];

/** A tap in which the first MODIFIED of `app` goes wrong. */
function tapWith(fault: EventFault) {
  const out: string[] = [];
  const faults: Fault[] = [{ on: 'event', at: 'a: MODIFIED secrets app #1', do: fault }];
  const tap = new WatchTap({
    book: new FaultBook({ scenario: 's', crew: 'one', faults }, '-'),
    slot: 'a',
    resource: 'secrets',
    output: {
      write: (line) => out.push(short(line)),
      end: () => out.push('end'),
      destroy: () => out.push('destroy'),
      kill: () => out.push('kill'),
    },
  });
  return { tap, out };
}

function short(line: string): string {
  const found = /"type":"(\w+)".*?(?:"version":(\d)|"code":(\d+))/.exec(line);
  return found === null ? 'garbage' : `${found[1]} ${found[2] ?? found[3]}`;
}

function line(type: string, version: number, name = 'app'): string {
  return JSON.stringify({ type, object: { metadata: { name, version } } });
}

describe('a watch through the proxy', () => {
  it.each<[EventFault, readonly string[]]>([
    ['drop', ['ADDED 1', 'DELETED 3', 'ERROR 410', 'end']],
    ['delay', ['ADDED 1', 'DELETED 3', 'MODIFIED 2']],
    ['duplicate', ['ADDED 1', 'MODIFIED 2', 'MODIFIED 2', 'DELETED 3']],
    ['half-open', ['ADDED 1', 'destroy']],
    ['gone', ['ADDED 1', 'ERROR 410', 'end']],
    ['garbage', ['ADDED 1', 'garbage', 'DELETED 3']],
    ['kill', ['ADDED 1', 'kill', 'DELETED 3']],
  ])('%s', (fault, expected) => {
    const { tap, out } = tapWith(fault);

    for (const each of [line('ADDED', 1), line('MODIFIED', 2), line('DELETED', 3)]) tap.take(each);
    vi.advanceTimersByTime(10_000);

    expect(out).toEqual(expected);
  });

  it('lets a held event go after a while where nothing follows', () => {
    const { tap, out } = tapWith('delay');
    tap.take(line('MODIFIED', 2));
    tap.take(line('ADDED', 1, 'other'));
    vi.advanceTimersByTime(10_000);
    expect(out).toEqual(['ADDED 1', 'MODIFIED 2']);
  });

  it('touches no bookmark', () => {
    const { tap, out } = tapWith('drop');
    tap.take('{"type":"BOOKMARK","object":{"metadata":{"version":9}}}');
    expect(out).toEqual(['BOOKMARK 9']);
  });
});
