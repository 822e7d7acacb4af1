import { describe, expect, it } from 'vitest';
import { annotations } from '../../api/v1/names.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { base64, buildOwnedSecret, buildReference } from '../testing/builders.ts';
import { desiredTarget } from './desired-target.ts';
import { contentAnnotations, contentOf } from './target-content.ts';

const target = { name: 'api-db', uid: 'secret-uid', resourceVersion: '7', ownership: 'Owner' } as const;

function desired(options: { ownership?: string; uid?: string; settled?: { inputs: string; content: string } } = {}) {
  const { ownership = 'Owner', uid = 'uid-1', settled } = options;
  const status = settled === undefined ? {} : { target: { ...target, ...settled } };
  const reference = buildReference({ metadata: { uid }, spec: { target: { ownership } }, status });
  const values = new Map([['password', SecretValue.fromString('two')]]);
  return desiredTarget(reference, values, [], { inputs: '1:bbbb', content: '1:bbbb' });
}

const existing = buildOwnedSecret();
const others = buildOwnedSecret({ metadata: { annotations: { [annotations.adopt]: 'true' } } });
const named = (content: string, previous: string) => ({
  [annotations.content]: content,
  [annotations.previous]: previous,
});
const merged = (content: string, previous: string) => ({
  'keyferry.io/content.uid-1': content,
  'keyferry.io/previous.uid-1': previous,
});

describe('the content that a target names', () => {
  it('moves with the bytes, and remembers the one before', () => {
    expect(contentAnnotations(desired(), existing, true)).toEqual(named('1:bbbb', '1:aaaa'));
  });

  it('stays where the bytes do', () => {
    expect(contentAnnotations(desired(), existing, false)).toEqual(named('1:aaaa', ''));
  });

  it('stays where somebody else changed the bytes of what was settled', () => {
    const settled = { inputs: '1:bbbb', content: '1:aaaa' };
    expect(contentAnnotations(desired({ settled }), existing, true)).toEqual(named('1:aaaa', ''));
  });

  it('stays where the bytes come to be what it names', () => {
    const same = buildOwnedSecret({
      metadata: { annotations: { ...existing.metadata.annotations, ...named('1:bbbb', '1:aaaa') } },
    });
    expect(contentAnnotations(desired(), same, true)).toEqual(named('1:bbbb', '1:aaaa'));
  });

  it('of a Secret that others had is what whoever runs it runs, where the bytes are the same', () => {
    expect(contentAnnotations(desired(), others, false)).toEqual(named('1:bbbb', ''));
  });

  it('of a Secret that others had is what nobody runs, where the bytes are not the same', () => {
    expect(contentAnnotations(desired(), others, true)).toEqual(named('1:bbbb', 'unknown'));
  });

  it.each([
    ['the same bytes', false, named('1:aaaa', '')],
    ['other bytes', true, named('1:bbbb', '1:aaaa')],
  ])('of a Secret that an earlier reference had goes on from there with %s', (_what, bytesChange, expected) => {
    expect(contentAnnotations(desired({ uid: 'uid-2' }), existing, bytesChange)).toEqual(expected);
  });
});

describe('a change of ownership', () => {
  it('takes the content along from Owner to Merge', () => {
    expect(contentOf(desired({ ownership: 'Merge' }), existing)).toEqual({ content: '1:aaaa', previous: '' });
    expect(contentAnnotations(desired({ ownership: 'Merge' }), existing, false)).toEqual(merged('1:aaaa', ''));
    expect(contentAnnotations(desired({ ownership: 'Merge' }), existing, true)).toEqual(merged('1:bbbb', '1:aaaa'));
  });

  it('takes the content along from Merge to Owner', () => {
    const shared = buildOwnedSecret({ metadata: { annotations: merged('1:aaaa', '1:0000') } });
    expect(contentOf(desired(), shared)).toEqual({ content: '1:aaaa', previous: '1:0000' });
    expect(contentAnnotations(desired(), shared, false)).toEqual(named('1:aaaa', '1:0000'));
  });

  it('takes nothing from other references', () => {
    const shared = buildOwnedSecret({ metadata: { annotations: merged('1:aaaa', '') }, data: { x: base64('x') } });
    expect(contentOf(desired({ ownership: 'Merge', uid: 'uid-2' }), shared)).toBeUndefined();
    expect(contentOf(desired({ ownership: 'Merge', uid: 'uid-2' }), existing)).toBeUndefined();
  });
});
