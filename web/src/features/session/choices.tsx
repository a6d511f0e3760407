// Language and appearance, as they stand in the menu and on the sign-in page.
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Segmented } from '../../components/segmented';
import type { Language } from '../../api';
import { changeLanguage, LANGUAGES } from '../../i18n';
import { chooseTheme, THEMES, useTheme } from '../../theme';

export function LanguageChoice({ isLabelHidden = false }: { isLabelHidden?: boolean }) {
  const { t, i18n } = useTranslation();
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : 'mb-1.5 block text-xs text-muted'}>
        {t('language.label')}
      </label>
      <select
        id={id}
        value={i18n.language}
        onChange={(event) => void changeLanguage(event.target.value as Language)}
        className="h-11 w-full rounded-xl border border-line bg-raised px-3 text-sm font-medium"
      >
        {Object.entries(LANGUAGES).map(([language, name]) => (
          <option key={language} value={language} lang={language}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

export function ThemeChoice() {
  const { t } = useTranslation();
  const theme = useTheme();
  return (
    <Segmented
      legend={t('theme.label')}
      choices={THEMES.map((name) => ({ value: name, label: t(`theme.${name}`) }))}
      value={theme}
      onChange={chooseTheme}
    />
  );
}
