// Fails the build when the first load grows over what a phone on a slow line can bear.
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const FIRST_LOAD_GZIP_BYTES_MAX = 140 * 1024;

/** Counts the entry, all that it imports at once, and the largest of the languages, of which one is loaded at once too. */
export function budget(): Plugin {
  return {
    name: 'first-load-budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const sizes = new Map<string, number>();
      const languages: number[] = [];
      const add = (fileName: string) => {
        const chunk = bundle[fileName];
        if (chunk?.type !== 'chunk' || sizes.has(fileName)) return;
        sizes.set(fileName, gzipSync(chunk.code, { level: 9 }).byteLength);
        chunk.imports.forEach(add);
      };
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk') continue;
        if (chunk.isEntry) add(chunk.fileName);
        if (chunk.facadeModuleId?.includes('/src/i18n/')) languages.push(gzipSync(chunk.code, { level: 9 }).byteLength);
      }
      const total = [...sizes.values()].reduce((sum, size) => sum + size, Math.max(0, ...languages));
      const told = `first load: ${(total / 1024).toFixed(1)} KiB gzip of ${FIRST_LOAD_GZIP_BYTES_MAX / 1024}`;
      if (total > FIRST_LOAD_GZIP_BYTES_MAX) this.error(told);
      this.info(told);
    },
  };
}
