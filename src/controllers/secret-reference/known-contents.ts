/**
 * What this process itself put into each target, or found there as it should be. Content of another name was written by another process, which may
 * have seen a newer version than we have: before it is replaced, the managers are asked again. So a leader that does not know that it was replaced
 * takes nothing back.
 */
export interface KnownContents {
  isKnown(subscriber: string, content: string): boolean;
  note(subscriber: string, content: string | undefined): void;
  forget(subscriber: string): void;
}

export function createKnownContents(): KnownContents {
  const contents = new Map<string, string>();
  return {
    isKnown: (subscriber, content) => contents.get(subscriber) === content,
    note(subscriber, content) {
      if (content === undefined) contents.delete(subscriber);
      else contents.set(subscriber, content);
    },
    forget: (subscriber) => {
      contents.delete(subscriber);
    },
  };
}
