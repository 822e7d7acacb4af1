import { describe, expect, it } from 'vitest';
import { type Credentials, createCredentialWatcher } from './credentials.ts';

function setup() {
  const changed: string[] = [];
  const open = new Map<string, { onChange: () => void; state: Credentials }>();
  const watcher = createCredentialWatcher(
    (namespace, name, onChange) => {
      const id = `${namespace}/${name}`;
      const entry = { onChange, state: { state: 'loading' } as Credentials };
      open.set(id, entry);
      return { read: () => entry.state, stop: () => open.delete(id) };
    },
    (manager) => changed.push(manager),
  );
  return { watcher, open, changed };
}

describe('the watch of credentials', () => {
  it('is one per Secret, and tells every manager that uses it', () => {
    const { watcher, open, changed } = setup();
    watcher.read('a', 'shop', 'keys');
    watcher.read('b', 'shop', 'keys');
    open.get('shop/keys')?.onChange();
    expect(open.size).toBe(1);
    expect(changed).toEqual(['a', 'b']);
  });

  it('ends with its last user', () => {
    const { watcher, open } = setup();
    watcher.read('a', 'shop', 'keys');
    watcher.read('b', 'shop', 'keys');
    watcher.release('a');
    expect(open.size).toBe(1);
    watcher.release('b');
    expect(open.size).toBe(0);
  });

  it('moves when a manager names another Secret', () => {
    const { watcher, open } = setup();
    watcher.read('a', 'shop', 'keys');
    watcher.read('a', 'shop', 'other');
    expect([...open.keys()]).toEqual(['shop/other']);
  });

  it('ends altogether on close', () => {
    const { watcher, open } = setup();
    watcher.read('a', 'shop', 'keys');
    watcher.close();
    expect(open.size).toBe(0);
  });
});
