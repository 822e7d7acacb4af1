import { describe, expect, it } from 'vitest';
import type { History } from '../history.ts';
import { historyOf, referenceWith, requestOf, secretWith } from '../testing/histories.ts';
import { doubtDestroysNothing } from './doubt.ts';

function finds(parts: Partial<History>): readonly string[] {
  return doubtDestroysNothing(historyOf(parts)).map(({ law, what }) => `${law} ${what}`);
}

const reference = referenceWith({ one: { secret: 'a' }, two: { secret: 'b' } });
const whole = secretWith({ one: '1', two: '2' }, { revision: 5 });

describe('S2', () => {
  it('is content where keys change and none goes', () => {
    expect(finds({ objects: [reference, whole, secretWith({ one: '3', two: '2' }, { revision: 6 })] })).toEqual([]);
  });

  it('sees a key that went, and one that was blanked', () => {
    expect(finds({ objects: [reference, whole, secretWith({ one: '1' }, { revision: 6 })] })).toHaveLength(1);
    expect(finds({ objects: [reference, whole, secretWith({ one: '1', two: '' }, { revision: 6 })] })).toHaveLength(1);
  });

  it('lets a key go that the spec does not want any more, or that may be missing and is', () => {
    const less = [reference, whole, referenceWith({ one: { secret: 'a' } }, { generation: 2 })];
    expect(finds({ objects: [...less, secretWith({ one: '1' }, { revision: 6 })] })).toEqual([]);
    const optional = referenceWith({ one: { secret: 'a' }, two: { secret: 'b', optional: true } });
    const deletion = { kind: 'delete', secret: 'b', version: '', value: '', at: 1 } as const;
    const objects = [optional, whole, secretWith({ one: '1' }, { revision: 6 })];
    expect(finds({ objects, backend: [deletion] })).toEqual([]);
  });

  it('sees a Secret that went, unless its reference did or a person wanted it', () => {
    const gone = secretWith({ one: '1', two: '2' }, { revision: 6, type: 'DELETED' });
    expect(finds({ objects: [reference, whole, gone] })).toHaveLength(1);
    const acts = [{ kind: 'delete-reference', name: 'app', at: 5.5 }] as const;
    expect(finds({ objects: [reference, whole, gone], acts })).toEqual([]);
    expect(finds({ objects: [reference, whole, gone], acts: [{ ...acts[0], at: 7 }] })).toHaveLength(1);
  });

  it('sees the operator ask for a deletion, also where it was refused, unless access was revoked', () => {
    const requests = [requestOf({ verb: 'delete', status: 409, at: 3 })];
    expect(finds({ requests })).toHaveLength(1);
    expect(finds({ requests, acts: [{ kind: 'revoke-and-delete', name: 'app', at: 2 }] })).toEqual([]);
  });
});
