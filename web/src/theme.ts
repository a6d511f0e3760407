// Light, dark, or as the system says. The colours are in styles.css; this only chooses.
import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'reelmint.theme';
const listeners = new Set<() => void>();
let theme = THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system';
show();

export function chooseTheme(next: Theme): void {
  theme = next;
  localStorage.setItem(KEY, next);
  show();
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => theme);
}

function show(): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
