// Who is signed in: the bearer token, where it is kept, and who wants to know when it changes.
import { useSyncExternalStore } from 'react';

const KEY = 'reelmint.token';

/** `ended` says that the server refused the token, so the sign-in page can tell why the person is there. */
interface Session {
  token: string | null;
  ended: boolean;
}

let session: Session = { token: localStorage.getItem(KEY), ended: false };
const listeners = new Set<() => void>();

export function openSession(token: string): void {
  localStorage.setItem(KEY, token);
  change({ token, ended: false });
}

export function closeSession({ ended = false } = {}): void {
  localStorage.removeItem(KEY);
  change({ token: null, ended });
}

export function currentToken(): string | null {
  return session.token;
}

export function useSession(): Session {
  return useSyncExternalStore(subscribe, () => session);
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// Signing in or out in one tab does the same in the others.
addEventListener('storage', (event) => {
  if (event.key === KEY) change({ token: event.newValue, ended: false });
});
