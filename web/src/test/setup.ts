// What jsdom lacks, and a clean start for every test.
import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { startLanguage } from '../i18n';

// A machine that does other things at the same time is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });

beforeAll(async () => {
  window.matchMedia = (query) =>
    ({ matches: false, media: query, addEventListener: noop, removeEventListener: noop }) as never;
  window.URL.createObjectURL = () => 'blob:picture';
  window.URL.revokeObjectURL = noop;
  Element.prototype.scrollIntoView = noop;
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close() {
    this.open = false;
  };
  await startLanguage();
});

beforeEach(() => localStorage.clear());

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function noop(): void {
  // jsdom does not do this, and no test looks at it.
}
