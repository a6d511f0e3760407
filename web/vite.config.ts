// How the studio is built, served while it is being written, and tested.
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { budget } from './budget.ts';

const BACKEND = process.env.REELMINT_BACKEND ?? 'http://127.0.0.1:8080';
const BACKEND_PATHS = ['/v1', '/blobs', '/sandbox', '/healthz'];

export default defineConfig({
  plugins: [react(), tailwindcss(), budget()],
  server: {
    proxy: Object.fromEntries(BACKEND_PATHS.map((path) => [path, { target: BACKEND }])),
  },
  build: {
    target: 'es2022',
    // The one font file per alphabet is a file, never a data address inside the style sheet.
    assetsInlineLimit: 0,
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
    testTimeout: 30_000,
  },
});
