import { describe, expect, it } from 'vitest';
import { unwatched, watchedText } from './watched.ts';

describe('a namespace that the operator does not work in', () => {
  it('is told with those that it works in', () => {
    expect(unwatched(['shop', 'cart'], 'default')).toContain(
      'the operator watches only shop, cart, so nothing happens in namespace default',
    );
  });

  it.each([
    ['where it works in all', undefined],
    ['where it works in that one', ['default']],
  ])('is none %s', (_where, watched) => {
    expect(unwatched(watched, 'default')).toBeUndefined();
  });

  it('names a few of many', () => {
    expect(watchedText(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('the operator watches only a, b, c, d, e and 2 more');
  });
});
