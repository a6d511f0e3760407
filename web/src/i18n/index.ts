// Languages: which one, where it is kept, and its texts, loaded only when chosen.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Language } from '../api';
import type en from './en.json';

export const LANGUAGES: Record<Language, string> = { en: 'English', ru: 'Русский', id: 'Bahasa Indonesia' };

type Texts = typeof en;

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: Texts };
  }
}

const KEY = 'reelmint.language';

const TEXTS: Record<Language, () => Promise<{ default: Texts | Record<string, unknown> }>> = {
  en: () => import('./en.json'),
  ru: () => import('./ru.json'),
  id: () => import('./id.json'),
};

export async function startLanguage(): Promise<void> {
  const language = preferredLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    // Every language is complete, a test holds it: there is nothing to fall back to.
    fallbackLng: false,
    interpolation: { escapeValue: false },
    resources: { [language]: { translation: (await TEXTS[language]()).default } },
  });
  document.documentElement.lang = language;
}

export async function changeLanguage(language: Language): Promise<void> {
  i18next.addResourceBundle(language, 'translation', (await TEXTS[language]()).default);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  localStorage.setItem(KEY, language);
}

function preferredLanguage(): Language {
  const wishes = [localStorage.getItem(KEY), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wishes.find((wish): wish is Language => wish !== null && wish in LANGUAGES) ?? 'en';
}
