import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { STUDIO_CODES } from '../api';
import en from './en.json';
import id from './id.json';
import ru from './ru.json';

const TEXTS = { en, ru, id };
const LANGUAGES = Object.keys(TEXTS) as (keyof typeof TEXTS)[];
const PLURAL = /_(zero|one|two|few|many|other)$/;

function flat(texts: object, path = ''): [string, string][] {
  return Object.entries(texts).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? flat(value, `${path}${key}.`)
      : [[path + key, String(value)] as [string, string]],
  );
}

/** A counted text as one name, however many forms a language has for it. */
function names(texts: object): string[] {
  return [...new Set(flat(texts).map(([key]) => key.replace(PLURAL, '#')))].sort();
}

const holes = (text: string): string[] =>
  [...text.matchAll(/\{\{(\w+)(?:, number)?\}\}/g)].map(([, name = '']) => name).sort();

/** The codes in one section of the generated reference of the back end. */
function codesUnder(heading: string): string[] {
  const reference = readFileSync('../docs/errors.md', 'utf8');
  const section = reference.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, code = '']) => code);
}

describe.each(LANGUAGES)('the texts in %s', (language) => {
  const texts = new Map(flat(TEXTS[language]));

  it('are the same ones as in English', () => {
    expect(names(TEXTS[language])).toEqual(names(en));
  });

  it('have every plural form that the language has', () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const counted = names(en).filter((name) => name.endsWith('#'));
    const missing = counted
      .flatMap((name) => forms.map((form) => name.replace('#', `_${form}`)))
      .filter((key) => !texts.has(key));
    expect(missing).toEqual([]);
  });

  it('have the same values put into them as in English', () => {
    const english = new Map(flat(en).map(([key, text]) => [key.replace(PLURAL, '#'), holes(text)]));
    const wrong = [...texts].filter(([key, text]) => {
      const expected = english.get(key.replace(PLURAL, '#')) ?? [];
      return holes(text).join() !== expected.join();
    });
    expect(wrong).toEqual([]);
  });

  it('are never empty', () => {
    expect([...texts].filter(([, text]) => text.trim() === '')).toEqual([]);
  });

  it('explain every refusal of the back end', () => {
    const codes = codesUnder('Refused requests');
    expect(codes.length).toBeGreaterThan(20);
    expect(codes.filter((code) => !(code in TEXTS[language].errors))).toEqual([]);
  });

  it('explain every reason for a job without a result', () => {
    const codes = codesUnder('Jobs without a result');
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !(code in TEXTS[language].failures))).toEqual([]);
  });

  it("explain the studio's own errors", () => {
    expect(STUDIO_CODES.filter((code) => !(code in TEXTS[language].errors))).toEqual([]);
  });

  it('name every camera move of the catalogue', () => {
    const files = readdirSync('../shared/catalogue').filter((name) => name.endsWith('.toml'));
    const catalogue = files.map((name) => readFileSync(`../shared/catalogue/${name}`, 'utf8')).join('\n');
    const lists = [...catalogue.matchAll(/^camera_moves = \[([^\]]*)\]/gm)].map(([, list = '']) => list);
    const moves = lists.flatMap((list) => [...list.matchAll(/"([^"]+)"/g)].map(([, move = '']) => move));
    expect(moves).toContain('Push in');
    expect(moves.filter((move) => !(move in TEXTS[language].camera.moves))).toEqual([]);
  });

  it('name every kind of ledger row', () => {
    const kinds = [...readFileSync('../shared/ledger.py', 'utf8').matchAll(/^ {4}[A-Z]+ = "(\w+)"/gm)].map(
      ([, kind = '']) => kind,
    );
    expect(kinds).toContain('capture');
    expect(kinds.filter((kind) => !(kind in TEXTS[language].ledgerKinds))).toEqual([]);
  });
});

it('has no text that nothing shows', () => {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path) && !path.includes('.test.'))
    .map((path) => readFileSync(`src/${path}`, 'utf8'))
    .join('\n');
  const shelves = ['errors.', 'failures.', 'reasons.', 'ledgerKinds.', 'breakdown.', 'camera.moves.'];
  const made = [...sources.matchAll(/t\(`([\w.]+)\$\{/g)].map(([, start = '']) => start);
  const isShown = (name: string) =>
    sources.includes(`'${name.replace('#', '')}'`) || [...shelves, ...made].some((start) => name.startsWith(start));
  expect(names(en).filter((name) => !isShown(name))).toEqual([]);
});
